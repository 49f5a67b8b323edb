"""Quantised coefficients for blocks that are filled in part.

Rounding spreads its error evenly over a block. Where some samples are known and the rest is a
filling, the error had better lie in the filling: coefficients are moved by whole steps as long as
that makes the weighted square error less.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from regionwise.arrays import Floats, Numbers
from regionwise.photos.jpeg_splice.dct import PICTURES, coefficients_of

FILLED, OUTSIDE = 0.4, 0.01  # weights of samples that are filled, and of those beyond the picture
_MOST_MOVES = 96
_BLOCKS = 256  # at a time, for memory
_LARGEST = 1023


def fitted(samples: Floats, weights: Floats, steps: Numbers) -> npt.NDArray[np.int32]:
    """Find coefficients for samples that matter in different degree.

    Args:
        samples: N×64, 0 to 255 and a little beyond.
        weights: N×64, of a sample's square error.
        steps: 64 quantisation steps in zigzag order.

    Returns:
        N×64 coefficients in zigzag order.
    """
    sizes = steps.astype(np.float32)
    rounded = np.rint(coefficients_of(samples) / sizes).clip(-_LARGEST, _LARGEST)
    start: npt.NDArray[np.int32] = rounded.astype(np.int32)
    mixed = np.flatnonzero(weights.min(axis=1) != weights.max(axis=1))
    for begin in range(0, len(mixed), _BLOCKS):
        some = mixed[begin : begin + _BLOCKS]
        start[some] = _descended(start[some], samples[some], weights[some], PICTURES * sizes)
    return start


def _descended(
    blocks: npt.NDArray[np.int32], samples: Floats, weights: Floats, pictures: Floats
) -> npt.NDArray[np.int32]:
    """Move one coefficient of each block at a time, that which helps most, until none helps.

    With curvature H = P' W P and slope g = P' W (P c - s) a move by d of coefficient k changes the
    error by H_kk d² + 2 g_k d.
    """
    blocks = blocks.copy()
    curvature = np.matmul(pictures.T * weights[:, None, :], pictures)
    error = blocks.astype(np.float32) @ pictures.T - (samples - np.float32(128))
    slope = (error * weights) @ pictures
    diagonal = np.ascontiguousarray(np.diagonal(curvature, axis1=1, axis2=2))
    active = np.arange(len(blocks))
    for _ in range(_MOST_MOVES):
        move = -np.rint(slope[active] / diagonal[active])
        move = np.where(move == 0, -np.sign(slope[active]), move)
        change = diagonal[active] * move**2 + 2 * slope[active] * move
        change[np.abs(blocks[active] + move) > _LARGEST] = 0
        best = change.argmin(axis=1)
        row = np.arange(len(active))
        going = change[row, best] < -1e-3 * diagonal[active, best]
        active, best, row = active[going], best[going], row[going]
        if not len(active):
            break
        step = move[row, best]
        blocks[active, best] += step.astype(np.int32)
        slope[active] += curvature[active, best] * step[:, None]
    return blocks
