"""EdgeConnect's card."""

from __future__ import annotations

from regionwise.models.card import NetworkCard, Paper, Released, Variant

CARD = NetworkCard(
    name="edgeconnect",
    title="edges first, then the picture along them (EC)",
    papers=(
        Paper(
            "Nazeri et al.",
            "EdgeConnect: Generative Image Inpainting with Adversarial Edge Learning",
            "",
            2019,
        ),
    ),
    network="EdgeConnectGenerator",
    files="folder of `EdgeModel_gen.pth` and `InpaintingModel_gen.pth`",
    licence="CC BY-NC 4.0",
    size=256,
    slim={"width": 4, "blocks": 1},
    variants=(
        Variant(
            "both networks",
            products="122.67 G",
        ),
    ),
    released=Released((10_761_089, 10_774_595), 96.75),
    note="The count of operations is MADF's, IEEE TIP 2021, Table IV, and 25.8 G higher than ours: "
    "transposed convolutions counted at their output's size. Canny's edges are not counted.",
    parts={"edge": "EdgeModel_gen.pth", "inpaint": "InpaintingModel_gen.pth"},
)
