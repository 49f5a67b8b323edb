"""Guides for pictures of chance, on which a recipe is tried."""

from __future__ import annotations

from torch import Tensor


def stand_in_guide(image: Tensor, kind: str | None) -> Tensor | None:
    """Something of the shape of a guide (`data.guide`), made in no time.

    Args:
        image: N×3×H×W in [0, 1].
        kind: "edges" (N×1×H×W of 0 and 1), "structure" (N×3×H×W), or none.
    """
    if kind is None:
        return None
    return image if kind == "structure" else (image.mean(dim=1, keepdim=True) > 0.5).to(image.dtype)
