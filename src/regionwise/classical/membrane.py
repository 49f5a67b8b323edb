"""A smooth fill of the hole, as a soap film would: the classical floor, in NumPy.

`regionwise.layers.membrane` is the same in PyTorch; both give the same values to 1e-5.
"""

from __future__ import annotations

import numpy as np

from regionwise.arrays import Floats

RELAXATIONS = 4
_GREY = np.float32(0.5)


def membrane_fill(image: Floats, mask: Floats) -> Floats:
    """Fill the hole by a push-pull pyramid with relaxation.

    On the way down known pixels are averaged 2×2 by their weights, until one pixel is left; on the
    way up each level starts from the coarser one and is relaxed towards its own averages. Where
    a picture has no known pixel at all the answer is mid grey.

    Args:
        image: N×C×H×W; what it holds inside the hole is ignored, even NaN.
        mask: N×1×H×W, 1 = missing.

    Returns:
        N×C×H×W float32; known pixels are the image's own, bit for bit.
    """
    weight = (mask <= 0.5).astype(np.float32)
    value = np.where(weight > 0, image, 0).astype(np.float32, copy=False)
    pyramid = [(value, weight)]
    while max(value.shape[-2:]) > 1:
        value, weight = _coarser(value, weight)
        pyramid.append((value, weight))
    value, weight = pyramid.pop()
    filled = np.where(weight > 0, value, _GREY)
    for value, weight in reversed(pyramid):
        height, width = value.shape[-2:]
        filled = filled.repeat(2, axis=-2).repeat(2, axis=-1)[..., :height, :width]
        anchor, freedom = weight * value, 1 - weight
        for _ in range(RELAXATIONS):
            filled = _smooth(filled)
            filled *= freedom
            filled += anchor
    return np.where(mask > 0.5, filled, image)


def _coarser(value: Floats, weight: Floats) -> tuple[Floats, Floats]:
    """Weighted means of 2×2 blocks, and their weights; an odd side is padded with nothing.

    Weights add up to 1 at most: one known pixel of four pins its block as firmly as four do.
    """
    total = _sum_of_blocks(weight)
    mean = _sum_of_blocks(weight * value)
    mean /= np.where(total > 0, total, 1)  # where nothing is known the sum is 0 too
    return mean, np.minimum(total, 1)


def _sum_of_blocks(x: Floats) -> Floats:
    height, width = x.shape[-2:]
    if height % 2 or width % 2:
        x = np.pad(x, [(0, 0)] * (x.ndim - 2) + [(0, height % 2), (0, width % 2)])
    x = x[..., 0::2, :] + x[..., 1::2, :]
    return x[..., 0::2] + x[..., 1::2]


def _smooth(x: Floats) -> Floats:
    """[1, 2, 1]/4 along rows and columns, the edge repeated: bilinear after a ×2 repetition."""
    return _smooth_columns(_smooth_rows(x))


def _smooth_rows(x: Floats) -> Floats:
    y = x * 2
    y[..., 1:, :] += x[..., :-1, :]
    y[..., :1, :] += x[..., :1, :]
    y[..., :-1, :] += x[..., 1:, :]
    y[..., -1:, :] += x[..., -1:, :]
    y *= 0.25
    return y


def _smooth_columns(x: Floats) -> Floats:
    y = x * 2
    y[..., 1:] += x[..., :-1]
    y[..., :1] += x[..., :1]
    y[..., :-1] += x[..., 1:]
    y[..., -1:] += x[..., -1:]
    y *= 0.25
    return y
