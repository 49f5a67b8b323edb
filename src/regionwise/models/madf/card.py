"""MADF's card."""

from __future__ import annotations

from typing import Literal

from regionwise.models.card import NetworkCard, Paper, Released, Variant

Encoder = Literal["mask_aware", "partial", "gated", "gated_mask_aware"]
MadfNorm = Literal["pointwise", "batch"]

ABLATION: dict[str, tuple[Encoder, int, MadfNorm]] = {
    "PConv+K0": ("partial", 0, "pointwise"),
    "GConv+K0": ("gated", 0, "pointwise"),
    "MADF+K0": ("mask_aware", 0, "pointwise"),
    "MADF+K1 PN": ("mask_aware", 1, "pointwise"),
    "MADF+K1": ("mask_aware", 1, "batch"),
    "MADF+K2 PN": ("mask_aware", 2, "pointwise"),
    "MADF+K2": ("mask_aware", 2, "batch"),
    "MADF+K3 PN": ("mask_aware", 3, "pointwise"),
}
"""Table II: its rows as `encoder`, `refinements` and `norm`."""

_PRODUCTS = {"MADF+K0": "22.13 G", "MADF+K2 PN": "51.77 G"}
_RELEASED = {
    "MADF+K0": Released((40_741_817,), 10.43),
    "MADF+K1 PN": Released((62_940_887,), 19.35),
    "MADF+K2 PN": Released((85_139_966,), 28.26),
}
"""Without the encoder's batch normalisations, which are never called."""

CARD = NetworkCard(
    name="madf",
    title="filters made from the mask, and decoders that refine one another",
    papers=(
        Paper(
            "Zhu et al.",
            "Image Inpainting by End-to-End Cascaded Refinement with Mask Awareness",
            "IEEE TIP",
            2021,
        ),
    ),
    network="CascadedRefinementGenerator",
    files='the checkpoint of a training, `{"model": ...}`, or the bare network',
    licence="GPL-3.0",
    size=256,
    slim={"width": 8, "levels": 5},
    variants=tuple(
        Variant(
            name,
            {"encoder": encoder, "refinements": count, "norm": norm},
            products=_PRODUCTS.get(name, ""),
            released=_RELEASED.get(name),
        )
        for name, (encoder, count, norm) in ABLATION.items()
    ),
    released=_RELEASED["MADF+K2 PN"],
    table="Table IV",
    note="The paper's figures are higher: transposed convolutions counted at their output's size, "
    "four times too much, explain 6.0 G of K0 and 17.8 G of K2; 5.7 G of each stay unexplained. "
    "Its rows for other networks mix multiplications with operations (EdgeConnect, CA, GConv): "
    "don't compare with them. The equations make a filter for each window: 4704 numbers for each "
    "at the first level, where ours needs none.",
)
