"""AOT-GAN's card."""

from __future__ import annotations

from regionwise.models.card import NetworkCard, Paper, Released, Variant

CARD = NetworkCard(
    name="aotgan",
    title="blocks that look at four distances at once; made for 512 px",
    papers=(
        Paper(
            "Zeng et al.",
            "Aggregated Contextual Transformations for High-Resolution Image Inpainting",
            "TVCG",
            2022,
        ),
    ),
    network="AggregatedTransformGenerator",
    files="`G*.pt`",
    licence="Apache-2.0",
    size=512,
    slim={"width": 4, "blocks": 1},
    variants=(Variant("AOT-GAN"),),
    released=Released((15_200_835,), 72.88),
    note="We know of no published figures.",
)
