"""PConv U-Net's card."""

from __future__ import annotations

from regionwise.models.card import NetworkCard, Paper, Released, Variant

CARD = NetworkCard(
    name="pconv",
    title="partial convolutions (PC): over known pixels alone",
    papers=(
        Paper(
            "Liu et al.",
            "Image Inpainting for Irregular Holes Using Partial Convolutions",
            "ECCV",
            2018,
        ),
    ),
    network="PartialConvGenerator",
    files="the checkpoint of an unofficial PyTorch program (naoto0804's)",
    licence="MIT",
    size=256,
    slim={"width": 4, "levels": 5},
    variants=(
        Variant("7 levels", products="18.95 G"),
        Variant("8 levels", {"levels": 8}),
        Variant("RN-PC", {"norm": "region"}),
    ),
    released=Released((25_779_796,), 9.47),
    note="The count of operations is MADF's, IEEE TIP 2021, Table IV, and twice ours: it convolves "
    "the masks too, of which ours takes sums. Region Normalization inside it: that paper's section "
    "4.5 gives no figures.",
)
