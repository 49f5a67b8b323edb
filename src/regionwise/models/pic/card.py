"""PIC's card."""

from __future__ import annotations

from regionwise.models.card import NetworkCard, Paper, Released, Variant

CARD = NetworkCard(
    name="pic",
    title="several answers for one hole, with --count",
    papers=(Paper("Zheng et al.", "Pluralistic Image Completion", "CVPR", 2019),),
    network="PluralisticGenerator",
    files="folder of `latest_net_E.pth` and `latest_net_G.pth`",
    licence="CC BY-NC",
    size=256,
    slim={"width": 8},
    # The encoder without the path for the true picture: 475,776 of its 3,604,224 parameters.
    variants=(Variant("PIC"),),
    released=Released((3_604_224 - 475_776, 2_374_016), 5.25),
    note="We know of no published figures. Without the path for the true picture, which training "
    "alone needs. Ours pads the attention's queries to the width of its values: more products, and "
    "fused attention takes them.",
    parts={"E": "latest_net_E.pth", "G": "latest_net_G.pth"},
)
