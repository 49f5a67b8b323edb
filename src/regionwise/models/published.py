"""What the papers say their networks cost, to set our counts beside."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from regionwise.models.deepgin import TABLE_1
from regionwise.models.madf import ABLATION
from regionwise.models.rn import ARCHITECTURES


@dataclass(frozen=True)
class Variant:
    """A row: a network by its options, and what its paper prints of it, in the paper's words.

    Attributes:
        name: as in the paper's table.
        options: of `create_model`.
        parameters, products: the paper's figure, empty where it has none.
    """

    name: str
    options: dict[str, Any]
    parameters: str = ""
    products: str = ""


@dataclass(frozen=True)
class Published:
    """A system's rows, where they are from, and why our counts differ from them if they do."""

    source: str
    variants: tuple[Variant, ...]
    note: str


_DEEPGIN = ("8.168M", "40.850M", "41.376M", "42.892M", "42.892M", "42.892M", "42.930M")
_MADF = {"MADF+K0": "22.13 G", "MADF+K2 PN": "51.77 G"}

PUBLISHED = {
    "deepgin": Published(
        "Li et al., AIM at ECCV 2020, Table 1",
        tuple(
            Variant(name, options, parameters)
            for (name, options), parameters in zip(TABLE_1.items(), _DEEPGIN, strict=True)
        ),
        "The paper has no count of operations. Ours computes a picture's last convolution in "
        "blocks of 2×2 pixels: more products, half the time.",
    ),
    "madf": Published(
        "Zhu et al., IEEE TIP 2021, Table IV",
        tuple(
            Variant(
                name,
                {"encoder": encoder, "refinements": count, "norm": norm},
                products=_MADF.get(name, ""),
            )
            for name, (encoder, count, norm) in ABLATION.items()
        ),
        "The paper's figures are higher: transposed convolutions counted at their output's size, "
        "four times too much, explain 6.0 G of K0 and 17.8 G of K2; 5.7 G of each stay "
        "unexplained. Its rows for other networks mix multiplications with operations "
        "(EdgeConnect, CA, GConv): don't compare with them. The equations make a filter for each "
        "window: 4704 numbers for each at the first level, where ours needs none.",
    ),
    "region-wise": Published(
        "Ma et al., IJCAI 2019, and Region-wise GAN",
        (
            Variant("both stages", {}),
            Variant("semantic inferring alone", {"stages": 1}),
            Variant("standard convolutions", {"convolution": "standard"}),
        ),
        "The papers give no figures. The equations are counted as released: both regions' filters "
        "everywhere, after the upsampling. Ours convolves and upsamples in one, and of a hole in "
        "one piece only its bounding box (not counted here: this hole reaches everywhere).",
    ),
    "rn": Published(
        "Yu et al., AAAI 2020, Table 2",
        tuple(
            Variant(f"architecture {number}", {"architecture": number}) for number in ARCHITECTURES
        ),
        "The paper gives no figures. What ours has more are sums over regions, which it takes as "
        "matrix products.",
    ),
}
"""By the names of `regionwise.models.registry`."""
