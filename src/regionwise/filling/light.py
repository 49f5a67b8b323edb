"""Copy a hole's pixels from their sources at full resolution, and bring them to the right light.

The copies are hard: nothing is averaged, so nothing is blurred. Their light is shifted smoothly to
that of the voted fill, which is even where two copies meet; and so far that copies of known pixels
round the hole would be what they stand for (the membrane of Poisson blending, Pérez et al.,
SIGGRAPH 2003, with the step across the border bounded).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from regionwise.arrays import Bools, Floats, Integers, Pixels
from regionwise.classical.membrane import membrane_fill
from regionwise.classical.synthesis import Offsets, Synthesis
from regionwise.filling.windows import Window

_SEAM = 2.0
"""Deviation of the Gaussian over which the copies' light is brought to that of the voted fill."""
_STEP = 0.05
"""Step in light at the border, in shares of white, that is spread over the hole at most."""
_STRIP = 64


@dataclass(frozen=True)
class Copies:
    """Of each pixel of the searched picture, where to copy from and how to shift the light.

    Attributes:
        weight: R×C, 0 where there is nothing to copy.
        offsets: R×C×2, down and right to the source, in pixels of the searched picture.
        light: R×C×3, what is added to the copy.
    """

    weight: Floats
    offsets: Offsets
    light: Floats


def lit_copies(found: Synthesis, hole: Bools) -> Copies:
    """Where to copy from and how to shift the light, so that no seam shows.

    Args:
        found: what the search gave, R×C.
        hole: R×C, True = missing.
    """
    weight = found.reached.astype(np.float32)
    rows, columns = np.nonzero(found.reached)
    down, right = found.offsets[rows, columns].T
    lacking = np.zeros_like(found.picture)
    lacking[rows, columns] = (
        found.picture[rows, columns] - found.picture[rows + down, columns + right]
    )
    ring = weight * ~hole
    step = np.clip(_blurred(lacking, ring), -_STEP, _STEP).transpose(2, 0, 1)[None]
    across = membrane_fill(step, (ring < 1)[None, None].astype(np.float32))[0].transpose(1, 2, 0)
    return Copies(weight, found.offsets, _blurred(lacking + hole[..., None] * across, weight))


def copy_pixels(
    color: Pixels, hole: Bools, wanted: Bools, top: int, left: int, window: Window, copies: Copies
) -> tuple[Floats, Bools]:
    """Copy pixels by the offsets of the four nodes of the searched picture round each, bilinearly.

    Where an offset leads into a hole that is too thin for the searched picture, it does not count.

    Args:
        color: H×W×3, the photo.
        hole: H×W, all holes of the photo.
        wanted: h×w, the pixels that are wanted in a box of the photo.
        top, left: of the box.
        window: what was searched, at which scale.
        copies: what was found.

    Returns:
        h×w×3 in [0, 1], 0 where nothing was copied, and h×w, where something was.
    """
    filled = np.zeros((*wanted.shape, 3), np.float32)
    there = np.zeros(wanted.shape, bool)
    down, right = window.height / window.rows, window.width / window.columns
    white = np.float32(1 / np.iinfo(color.dtype).max)
    for start in range(0, len(wanted), _STRIP):
        rows, columns = np.nonzero(wanted[start : start + _STRIP])
        rows += start
        y, x = rows + top, columns + left
        total, weights = np.zeros((len(rows), 3), np.float32), np.zeros(len(rows), np.float32)
        for row, row_share in _two((y + 0.5 - window.top) / down - 0.5, window.rows):
            for column, share in _two((x + 0.5 - window.left) / right - 0.5, window.columns):
                offset = copies.offsets[row, column]
                source = (
                    np.clip(y + np.rint(offset[:, 0] * down).astype(np.intp), 0, len(hole) - 1),
                    np.clip(
                        x + np.rint(offset[:, 1] * right).astype(np.intp), 0, hole.shape[1] - 1
                    ),
                )
                weight = row_share * share * copies.weight[row, column] * ~hole[source]
                total += weight[:, None] * (color[source] * white + copies.light[row, column])
                weights += weight
        some = weights > 0
        filled[rows[some], columns[some]] = total[some] / weights[some, None]
        there[rows[some], columns[some]] = True
    return np.clip(filled, 0, 1), there


def _blurred(values: Floats, share: Floats) -> Floats:
    blurred: Floats = gaussian_filter(values * share[..., None], (_SEAM, _SEAM, 0))
    blurred /= np.maximum(gaussian_filter(share, _SEAM)[..., None], np.float32(1e-3))
    return blurred


def _two(position: NDArray[np.floating], length: int) -> tuple[tuple[Integers, Floats], ...]:
    """The two whole numbers next to each position, within the length, and their shares."""
    before = np.floor(position).astype(np.intp)
    share = (position - before).astype(np.float32)
    return (
        (np.clip(before, 0, length - 1), 1 - share),
        (np.clip(before + 1, 0, length - 1), share),
    )
