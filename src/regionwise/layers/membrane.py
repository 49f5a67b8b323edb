"""A smooth fill of the hole, the start from which a generator may predict a correction."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from regionwise.classical.membrane import RELAXATIONS

LEVELS = 12
"""Levels of the pyramid, enough for 4096 pixels a side; one too many changes nothing."""


@torch.no_grad()
def membrane_fill(image: Tensor, mask: Tensor, levels: int = LEVELS) -> Tensor:
    """Fill the hole as a soap film would, by a push-pull pyramid with relaxation.

    On the way down known pixels are averaged 2×2 with their weights; on the way up each level
    starts from the coarser one and is relaxed towards its own averages. Where the picture has no
    known pixel at all the answer is mid grey. `regionwise.classical.membrane` is the same in NumPy.

    Args:
        image: N×3×H×W in [0, 1]; what it holds inside the hole is ignored.
        mask: N×1×H×W, 1 = missing.
        levels: a fixed number, so that a traced graph serves every size up to 2**levels.

    Returns:
        N×3×H×W float32, without gradient; known pixels are the image's own.
    """
    count = image.shape[0]
    weight = 1.0 - (mask > 0.5).float()
    known = torch.where(weight > 0, image.float(), torch.zeros((), device=image.device))
    many = count > 1 and not torch.compiler.is_compiling()
    if many:  # the same sums four times as fast: pooling likes many channels, not many pictures
        known, weight = (_as_channels(x) for x in (known, weight.expand_as(known)))
    pyramid = []
    for _ in range(levels):
        pyramid.append((known, weight))
        known, weight = _coarser(known, weight)
    filled = known + 0.5 * (1.0 - weight)
    for known, weight in reversed(pyramid):
        height, width = known.shape[-2:]
        filled = F.interpolate(filled, scale_factor=2.0, mode="nearest")
        # Cropped by padding less than nothing: an exporter would have to prove a slice's bounds.
        filled = F.pad(filled, (0, width - filled.shape[-1], 0, height - filled.shape[-2]))
        freedom = 1.0 - weight
        for _ in range(RELAXATIONS):
            filled = known + freedom * _smooth(filled)
    return filled.reshape(image.shape) if many else filled


def known_mean(image: Tensor, mask: Tensor) -> Tensor:
    """Mean of the known pixels of each channel, N×C×1×1; 0 where nothing is known."""
    known = (mask <= 0.5).to(image.dtype)
    count = known.sum(dim=(2, 3), keepdim=True).clamp(min=1)
    return (image * known).sum(dim=(2, 3), keepdim=True) / count


def known_deviation(image: Tensor, mask: Tensor, least: float = 0.02) -> Tensor:
    """Standard deviation of the known pixels over all channels, N×1×1×1, `least` at least."""
    # Half precision cannot count the pixels of a photo.
    image = image.to(torch.promote_types(image.dtype, torch.float32))
    known = (mask <= 0.5).to(image.dtype)
    count = (3 * known.sum(dim=(1, 2, 3), keepdim=True)).clamp(min=1)
    mean = (image * known).sum(dim=(1, 2, 3), keepdim=True) / count
    variance = ((image - mean).square() * known).sum(dim=(1, 2, 3), keepdim=True) / count
    return variance.sqrt().clamp(min=least)


def _as_channels(x: Tensor) -> Tensor:
    """N×C×H×W as 1×N·C×H×W, channels last."""
    joined = x.reshape(1, -1, *x.shape[-2:])
    return joined.contiguous(memory_format=torch.channels_last)


def _coarser(known: Tensor, weight: Tensor) -> tuple[Tensor, Tensor]:
    """Means of what is known in 2×2 blocks, 0 where nothing is; an odd side is padded with nothing.

    A weight is 1 where anything is known: one pixel of four pins its block as firmly as four do.
    """
    # Padding of an even side drops out again in the pooling; a traced graph needs no branch.
    mean_known = F.avg_pool2d(F.pad(known, (0, 1, 0, 1)), 2)
    mean_weight = F.avg_pool2d(F.pad(weight, (0, 1, 0, 1)), 2)
    coarse_weight = (4 * mean_weight).clamp(max=1)
    return mean_known * (coarse_weight / mean_weight.clamp(min=0.01)), coarse_weight


def _smooth(x: Tensor) -> Tensor:
    """[1, 2, 1]/4 along rows and columns; after a repetition ×2 that is linear interpolation.

    As two means of 2×2: the first has one row and column more and counts, at the border, only what
    is there, which comes to the same as repeating the edge.
    """
    wider = F.avg_pool2d(x, 2, stride=1, padding=1, count_include_pad=False)
    return F.avg_pool2d(wider, 2, stride=1)
