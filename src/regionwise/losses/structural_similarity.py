"""One minus SSIM: local means, contrasts and correlations shall be the truth's."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

_WINDOW, _DEVIATION = 11, 1.5
_MEAN_CONSTANT, _VARIANCE_CONSTANT = 0.01**2, 0.03**2


def structural_similarity(
    answer: Tensor, truth: Tensor, mask: Tensor | None = None, *, window: int = _WINDOW
) -> Tensor:
    """1 − mean SSIM (Wang et al. 2004) with a Gaussian window, over where the window fits.

    Wants composed pictures: where answer and truth are equal it asks for nothing.

    Args:
        answer, truth: N×C×H×W in [0, 1]; summed in float32 at least. A side smaller than the window
            has one as large as itself, made odd.
        mask: not looked at; it makes the call that of the other losses.
        window: its side, odd.

    Returns:
        A number from 0 to 2.
    """
    del mask
    wide = torch.promote_types(answer.dtype, torch.float32)
    x, y = answer.to(wide), truth.to(wide)
    kernels = [_gaussian(min(window, side), x) for side in x.shape[-2:]]
    maps = torch.cat([x, y, x * x, y * y, x * y], dim=1)
    means = _blurred(maps, *kernels).chunk(5, dim=1)
    mean_x, mean_y, square_x, square_y, product = means
    variances = square_x - mean_x.square() + square_y - mean_y.square()
    covariance = product - mean_x * mean_y
    likeness = (2 * mean_x * mean_y + _MEAN_CONSTANT) / (
        mean_x.square() + mean_y.square() + _MEAN_CONSTANT
    )
    structure = (2 * covariance + _VARIANCE_CONSTANT) / (variances + _VARIANCE_CONSTANT)
    return 1 - (likeness * structure).mean()


def _gaussian(window: int, like: Tensor) -> Tensor:
    reach = (window - 1) // 2
    place = torch.arange(-reach, reach + 1, device=like.device, dtype=like.dtype)
    weights = torch.exp(-place.square() / (2 * _DEVIATION**2))
    return weights / weights.sum()


def _blurred(x: Tensor, down: Tensor, across: Tensor) -> Tensor:
    channels = x.shape[1]
    x = F.conv2d(x, down.view(1, 1, -1, 1).expand(channels, -1, -1, -1), groups=channels)
    return F.conv2d(x, across.view(1, 1, 1, -1).expand(channels, -1, -1, -1), groups=channels)
