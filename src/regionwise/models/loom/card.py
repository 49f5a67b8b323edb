"""Loom's card."""

from __future__ import annotations

from regionwise.models.card import NetworkCard, Paper, Variant

CARD = NetworkCard(
    name="loom",
    title="this project's own: wide layers at a quarter of the size, a membrane start, attention",
    papers=(
        Paper(
            "The regionwise authors",
            "Loom, chosen by a bake-off at equal processor time (docs/bakeoff.md)",
            "",
            2026,
        ),
    ),
    network="LoomGenerator",
    files="`best.pt` of a training",
    licence="whoever trained them says",
    size=256,
    slim={"widths": (32, 32, 64), "encoder": (1, 1, 1), "decoder": (1, 1)},
    variants=(Variant("Loom", {}),),
    note="It is published here alone: docs/bakeoff.md says how it was chosen.",
)
