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

_RN_TABLE = "Region Normalization inside it: that paper's section 4.5 gives no figures. "
_BY_MADF = "The count of operations is MADF's, IEEE TIP 2021, Table IV, "

PUBLISHED = {
    "aotgan": Published(
        "Zeng et al., TVCG 2022",
        (Variant("AOT-GAN", {}),),
        "We know of no published figures.",
    ),
    "deepfillv1": Published(
        "Yu et al., CVPR 2018",
        (
            Variant("DeepFill v1 (CA)", {}, "2.9M", "51.62 G"),
            Variant("RN-CA", {"coarse_norm": "region"}),
        ),
        "The parameters are the paper's own count; the released network has more. "
        f"{_BY_MADF}and twice ours: operations, not products. {_RN_TABLE}What ours computes more "
        "are the attention's neighbours of slices.",
    ),
    "deepfillv2": Published(
        "Yu et al., ICCV 2019",
        (
            Variant("DeepFill v2 (GC)", {}, "4.1M", "55.51 G"),
            Variant("RN-GC", {"coarse_norm": "region"}),
        ),
        "The parameters are the paper's own count. "
        f"{_BY_MADF}and twice ours: operations, not products. {_RN_TABLE}What ours computes more "
        "are the attention's neighbours of slices.",
    ),
    "deepgin": Published(
        "Li et al., AIM at ECCV 2020, Table 1",
        tuple(
            Variant(name, options, parameters)
            for (name, options), parameters in zip(TABLE_1.items(), _DEEPGIN, strict=True)
        ),
        "The paper has no count of operations. Ours computes a picture's last convolution in "
        "blocks of 2×2 pixels: more products, half the time.",
    ),
    "edgeconnect": Published(
        "Nazeri et al., 2019",
        (Variant("both networks", {}, products="122.67 G"),),
        f"{_BY_MADF}and 25.8 G higher than ours: transposed convolutions counted at their output's "
        "size. Canny's edges are not counted.",
    ),
    "glcic": Published(
        "Iizuka et al., SIGGRAPH 2017",
        (Variant("completion network", {}),),
        "We know of no published figures.",
    ),
    "lbam": Published(
        "Xie et al., ICCV 2019",
        (Variant("LBAM", {}, products="22.11 G"),),
        f"{_BY_MADF}and 12.0 G higher than ours: transposed convolutions counted at their output's "
        "size.",
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
    "pconv": Published(
        "Liu et al., ECCV 2018",
        (
            Variant("7 levels", {}, products="18.95 G"),
            Variant("8 levels", {"levels": 8}),
            Variant("RN-PC", {"norm": "region"}),
        ),
        f"{_BY_MADF}and twice ours: it convolves the masks too, of which ours takes sums. "
        f"{_RN_TABLE}".strip(),
    ),
    "pennet": Published(
        "Zeng et al., CVPR 2019",
        (Variant("PEN-Net", {}),),
        "We know of no published figures.",
    ),
    "pic": Published(
        "Zheng et al., CVPR 2019",
        (Variant("PIC", {}),),
        "We know of no published figures. Without the path for the true picture, which training "
        "alone needs. Ours pads the attention's queries to the width of its values: more products, "
        "and fused attention takes them.",
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
    "structureflow": Published(
        "Ren et al., ICCV 2019",
        (Variant("all three networks", {}),),
        "We know of no published figures. The smoothing of the known region and the sampling along "
        "the flow are not counted.",
    ),
}
"""By the names of `regionwise.models.registry`."""
