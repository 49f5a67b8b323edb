"""StructureFlow's card."""

from __future__ import annotations

from regionwise.models.card import NetworkCard, Paper, Released, Variant

CARD = NetworkCard(
    name="structureflow",
    title="structure first, then texture fetched along a flow",
    papers=(
        Paper(
            "Ren et al.",
            "StructureFlow: Image Inpainting via Structure-aware Appearance Flow",
            "ICCV",
            2019,
        ),
    ),
    network="StructureFlowGenerator",
    files="folder of `latest_net_s_gen.pth` and `latest_net_f_gen.pth`",
    licence="CC BY-NC",
    size=256,
    slim={"width": 8},
    variants=(Variant("all three networks"),),
    released=Released((36_057_411, 56_473_475), 255.1),
    note="We know of no published figures. The smoothing of the known region and the sampling "
    "along the flow are not counted.",
    parts={"s_gen": "latest_net_s_gen.pth", "f_gen": "latest_net_f_gen.pth"},
)
