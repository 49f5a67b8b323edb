"""GLCIC's card."""

from __future__ import annotations

from regionwise.models.card import NetworkCard, Paper, Released, Variant

CARD = NetworkCard(
    name="glcic",
    title="dilated convolutions, globally and locally consistent; for --blend poisson",
    papers=(
        Paper(
            "Iizuka et al.", "Globally and Locally Consistent Image Completion", "SIGGRAPH", 2017
        ),
    ),
    network="CompletionGenerator",
    files="the completion network of an unofficial PyTorch program (otenim's)",
    licence="MIT",
    size=160,
    slim={"width": 4},
    variants=(Variant("completion network"),),
    released=Released((6_072_131,), 32.55),
    note="We know of no published figures.",
)
