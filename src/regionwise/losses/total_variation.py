"""Neighbouring pixels shall not differ much: a penalty on what checkerboards and seams do."""

from __future__ import annotations

from typing import Literal

import torch.nn.functional as F
from torch import Tensor

from regionwise.losses.precision import at_least_float32


def total_variation(
    answer: Tensor,
    truth: Tensor | None = None,
    mask: Tensor | None = None,
    *,
    region: Literal["all", "grown_hole"] = "all",
    power: Literal[1, 2] = 1,
) -> Tensor:
    """Mean |x(i, j+1) − x(i, j)| plus mean |x(i+1, j) − x(i, j)|.

    The papers take it of composed pictures.

    - "all" is DeepGIN's eq. (6) and MADF as released: each sum is divided by the number of its
      pairs. DeepGIN as released has power 2.
    - "grown_hole" is MADF's eq. (6) and PConv's: only pairs that lie in the hole grown by one pixel
      (diagonally too), each sum divided by the number of values of the whole picture.

    Args:
        answer: N×C×H×W; half precision is summed in float32.
        truth: not looked at; it makes the call that of the other losses.
        mask: N×1×H×W, 1 = missing; only "grown_hole" needs it.
        region: which pairs count.
        power: of the differences.

    Returns:
        A number; 0 where there are no pairs.

    Raises:
        ValueError: "grown_hole" without a mask.
    """
    x = at_least_float32(answer)
    across, down = x[..., 1:] - x[..., :-1], x[..., 1:, :] - x[..., :-1, :]
    across, down = (d.abs() if power == 1 else d.square() for d in (across, down))
    if region == "all":
        return across.sum() / max(across.numel(), 1) + down.sum() / max(down.numel(), 1)
    if mask is None:
        raise ValueError("total variation of the grown hole needs the mask")
    grown = F.max_pool2d(mask.to(x.dtype), 3, stride=1, padding=1)
    across = across * (grown[..., 1:] * grown[..., :-1])
    down = down * (grown[..., 1:, :] * grown[..., :-1, :])
    return (across.sum() + down.sum()) / x.numel()
