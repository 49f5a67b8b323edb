"""Padding to the sizes that a network needs, and back, with sizes free in an exported graph."""

from __future__ import annotations

from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor


def pad_to_multiple(
    x: Tensor,
    multiple: int,
    *,
    least: int = 1,
    mode: Literal["replicate", "constant"] = "replicate",
    value: float | None = None,
) -> Tensor:
    """Extend a picture to the right and downwards.

    Args:
        x: N×C×H×W, H, W ≥ 1.
        multiple: what both sides become multiples of.
        least: how many of them a side has at least.
        mode, value: "replicate" repeats the last row and column, "constant" puts the value.

    Returns:
        N×C×H'×W'.
    """
    # multiple · n, not a remainder: so an exporter with symbolic sizes sees that halvings are even.
    height, width = (
        multiple * torch.sym_max((side + multiple - 1) // multiple, least)  # type: ignore[no-untyped-call]
        for side in x.shape[-2:]
    )
    return F.pad(x, (0, width - x.shape[-1], 0, height - x.shape[-2]), mode=mode, value=value)


def crop(x: Tensor, height: int, width: int) -> Tensor:
    """The upper left part; by padding less than nothing, which asks an exporter for no proof."""
    return F.pad(x, (0, width - x.shape[-1], 0, height - x.shape[-2]))
