"""LBAM's card."""

from __future__ import annotations

from regionwise.models.card import NetworkCard, Paper, Released, Variant

CARD = NetworkCard(
    name="lbam",
    title="maps learnt from the known region and from the hole weigh the features",
    papers=(
        Paper(
            "Xie et al.",
            "Image Inpainting with Learnable Bidirectional Attention Maps",
            "ICCV",
            2019,
        ),
    ),
    network="BidirectionalAttentionGenerator",
    files="`LBAM_N.pth`",
    licence="MIT",
    size=256,
    slim={"width": 4, "levels": 5},
    variants=(Variant("LBAM", products="22.11 G"),),
    released=Released((68_304_948,), 10.05),
    note="The count of operations is MADF's, IEEE TIP 2021, Table IV, and 12.0 G higher than ours: "
    "transposed convolutions counted at their output's size.",
)
