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
    mode: Literal["replicate", "symmetric", "constant"] = "replicate",
    value: float | None = None,
) -> Tensor:
    """Extend a picture to the right and downwards.

    Args:
        x: N×C×H×W, H, W ≥ 1.
        multiple: what both sides become multiples of.
        least: how many of them a side has at least.
        mode, value: "replicate" repeats the last row and column, "symmetric" mirrors the picture at
            its edge (NumPy's name), as often as need be, "constant" puts the value.

    Returns:
        N×C×H'×W'.
    """
    # multiple · n, not a remainder: so an exporter with symbolic sizes sees that halvings are even.
    height, width = (
        multiple * torch.sym_max((side + multiple - 1) // multiple, least)  # type: ignore[no-untyped-call]
        for side in x.shape[-2:]
    )
    if mode == "symmetric":
        return _mirrored(_mirrored(x, -2, height), -1, width)
    return F.pad(x, (0, width - x.shape[-1], 0, height - x.shape[-2]), mode=mode, value=value)


def _mirrored(x: Tensor, axis: int, size: int) -> Tensor:
    """Go on to a size along an axis: to and fro, the outermost row or column twice at a turn."""
    length = x.shape[axis]
    place = torch.arange(size, device=x.device)
    turn = place // length
    inside = place - turn * length
    return x.index_select(axis, torch.where(turn % 2 == 0, inside, length - 1 - inside))


def crop(x: Tensor, height: int, width: int) -> Tensor:
    """The upper left part; by padding less than nothing, which asks an exporter for no proof."""
    return F.pad(x, (0, width - x.shape[-1], 0, height - x.shape[-2]))
