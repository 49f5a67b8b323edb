"""Region Normalization's card."""

from __future__ import annotations

from typing import Literal

from regionwise.models.card import NetworkCard, Paper, Released, Variant

RnNorm = Literal["basic", "learnable", "soft", "distance", "instance", "batch", "none"]
"""RN-B, RN-L, and ours: RN-L without a threshold, RN-B by depth in the hole; then other norms."""


ARCHITECTURES: dict[int, tuple[RnNorm, RnNorm, RnNorm]] = {
    0: ("instance", "instance", "instance"),
    1: ("basic", "instance", "instance"),
    2: ("basic", "basic", "instance"),
    3: ("basic", "basic", "basic"),
    4: ("basic", "learnable", "instance"),
    5: ("basic", "learnable", "learnable"),
    6: ("learnable", "learnable", "learnable"),
}
"""Table 2: the norms of encoder, residual blocks and decoder; 0 is the baseline row."""

_RELEASED = Released((11_596_591,), 53.88)

CARD = NetworkCard(
    name="rn",
    title="known and missing pixels are normalised apart",
    papers=(Paper("Yu et al.", "Region Normalization for Image Inpainting", "AAAI", 2020),),
    network="RegionNormGenerator",
    files="a training's generator, of one GPU or several",
    licence="MIT",
    size=256,
    slim={"width": 4, "blocks": 1},
    variants=(
        *(
            Variant(f"paper, architecture {number}", {"architecture": number, "reading": "paper"})
            for number in ARCHITECTURES
        ),
        Variant("released", {"reading": "released"}, released=_RELEASED),
        Variant("ours", {}),
    ),
    released=_RELEASED,
    table="Table 2",
    note="The paper gives no figures. What ours has more are sums over regions, which it takes as "
    "matrix products.",
)
