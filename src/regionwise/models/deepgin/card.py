"""DeepGIN's card."""

from __future__ import annotations

from typing import Any

from regionwise.models.card import NetworkCard, Paper, Released, Variant

_STANDARD = {"coarse_rates": (1,), "refinement_rates": (1,)}
_DILATED = {"coarse_rates": (2,), "refinement_rates": (2,)}

TABLE_1: dict[str, dict[str, Any]] = {
    "StdResBlk (Coarse only)": {**_STANDARD, "refinement": False},
    "StdResBlk": {**_STANDARD, "attention": "none", "back_projection": False},
    "StdResBlk-SA": {**_STANDARD, "attention": "single", "back_projection": False},
    "StdResBlk-MSSA": {**_STANDARD, "back_projection": False},
    "DilatedResBlk-MSSA": {**_DILATED, "back_projection": False},
    "SPDResBlk-MSSA": {"back_projection": False},
    "SPDResBlk-MSSA-BP": {},
}
"""Table 1: the options of `DeepGinGenerator` for each row; the last one is the paper's proposal."""

_PARAMETERS = ("8.168M", "40.850M", "41.376M", "42.892M", "42.892M", "42.892M", "42.930M")

CARD = NetworkCard(
    name="deepgin",
    title="dilations and attention at several scales, back projection; for large holes",
    papers=(
        Paper(
            "Li et al.",
            "DeepGIN: Deep Generative Inpainting Network for Extreme Image Inpainting",
            "AIM at ECCV",
            2020,
        ),
    ),
    network="DeepGinGenerator",
    files="`latest_net_G.pth`",
    licence="parts of the program are for non-commercial use",
    size=256,
    slim={"width": 4, "blocks": 2},
    variants=tuple(
        Variant(name, options, parameters)
        for (name, options), parameters in zip(TABLE_1.items(), _PARAMETERS, strict=True)
    ),
    released=Released((42_930_186,), 32.18),
    table="Table 1",
    note="The paper has no count of operations. Ours computes a picture's last convolution in "
    "blocks of 2×2 pixels: more products, half the time.",
)
