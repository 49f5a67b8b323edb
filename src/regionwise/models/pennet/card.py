"""PEN-Net's card."""

from __future__ import annotations

from regionwise.models.card import NetworkCard, Paper, Released, Variant

CARD = NetworkCard(
    name="pennet",
    title="a pyramid of attention, from deep to shallow",
    papers=(
        Paper(
            "Zeng et al.",
            "Learning Pyramid-Context Encoder Network for High-Quality Image Inpainting",
            "CVPR",
            2019,
        ),
    ),
    network="PyramidContextGenerator",
    files="`gen_N.pth`",
    licence="MIT",
    size=256,
    slim={"width": 8},
    variants=(Variant("PEN-Net"),),
    released=Released((10_231_538,), 25.66),
    note="We know of no published figures.",
)
