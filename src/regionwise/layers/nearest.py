"""Nearest-neighbour resizing by the rules of the programs that known weights come from.

They differ in which pixel counts as nearest, and a network notices.
"""

from __future__ import annotations

from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor

Nearest = Literal["plain", "aligned", "linspace"]
"""Which input pixel the output pixel i of `out` shows, of `in` pixels:

- "plain": floor(i · in / out), as PyTorch.
- "aligned": i · (in − 1) / (out − 1) rounded half up, as TensorFlow 1 with `align_corners`.
- "linspace": the same on the numbers of `torch.linspace`, whose rounding errors are others: where
  two pixels are equally near, it sometimes chooses the other one.
"""


def halved(x: Tensor, times: int, rule: Nearest) -> Tensor:
    """Every 2^times-th pixel, N×C×H×W → N×C×H/2^times×W/2^times; sides are multiples of 2^times."""
    step = 2**times
    if rule == "plain":
        return x[..., ::step, ::step]
    return _taken(x, x.shape[-2] // step, x.shape[-1] // step, rule)


def doubled(x: Tensor, rule: Nearest) -> Tensor:
    """N×C×H×W → N×C×2H×2W."""
    if rule == "plain":
        return F.interpolate(x, scale_factor=2.0, mode="nearest")
    return _taken(x, 2 * x.shape[-2], 2 * x.shape[-1], rule)


def _taken(x: Tensor, height: int, width: int, rule: Nearest) -> Tensor:
    rows = _nearest(x.shape[-2], height, rule, x.device)
    columns = _nearest(x.shape[-1], width, rule, x.device)
    return x.index_select(-2, rows).index_select(-1, columns)


def _nearest(inputs: int, outputs: int, rule: Nearest, device: torch.device) -> Tensor:
    # Tensors of float32 from the start: a tie falls to the side that this rounding makes it fall.
    places = torch.arange(outputs, dtype=torch.float32, device=device)
    step = (torch.ones((), device=device) * (inputs - 1)) / (outputs - 1)
    positions = places * step
    if rule == "linspace":  # whose second half counts down from the end
        from_end = (inputs - 1) - step * (outputs - 1 - places)
        positions = torch.where(places < outputs // 2, positions, from_end)
    return (positions + 0.5).floor().long()
