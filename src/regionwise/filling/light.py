"""Copy a hole's pixels from their sources at full resolution, and bring them to the right light.

The copies are hard: nothing is averaged, so nothing is blurred. Their light is that of the picture
that has the copies' differences between neighbours, fits the known pixels round the hole, and is
near to the voted fill over longer distances (screened Poisson; the gradients are those of Darabi et
al., Image Melding, SIGGRAPH 2012). So two copies of a cloudy sky of unlike light meet in no line.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from regionwise.arrays import Bools, Floats, Integers, Pixels
from regionwise.classical.poisson import integrate
from regionwise.classical.synthesis import Offsets, Synthesis
from regionwise.filling.windows import Window

Places: TypeAlias = tuple[Integers, Integers]

_VOTE = 0.003
"""What the voted fill counts beside the copies' differences, see `integrate`."""
_STEP, _EDGE = 0.08, 0.2
"""Steps between neighbours, in shares of white, up to which they go and from which they stay."""
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
    rows, columns = np.nonzero(found.reached)
    offsets = found.offsets[rows, columns]
    places, sources = (rows, columns), (rows + offsets[:, 0], columns + offsets[:, 1])
    copies = np.zeros_like(found.picture)
    copies[places] = found.picture[sources]
    right, down = _differences(found.picture, places, sources)
    right = _with_edges(right, np.diff(found.picture, axis=1, append=np.float32(0)))
    down = _with_edges(down, np.diff(found.picture, axis=0, append=np.float32(0)))
    lit = integrate(right, down, hole, found.picture, share=_VOTE)
    weight = found.reached.astype(np.float32)
    return Copies(weight, found.offsets, (lit - copies) * weight[..., None])


def _differences(picture: Floats, places: Places, sources: Places) -> tuple[Floats, Floats]:
    """Of the copies' pixels to their right and lower neighbours, as at their sources; R×C×3 each.

    A difference of two pixels is the mean of what it is at both pixels' sources.
    """
    results: list[Floats] = []
    for axis in (0, 1):
        difference: Floats = np.diff(picture, axis=axis, append=np.float32(0))
        step: Floats = np.moveaxis(difference, axis, 0)
        place, source = (np.stack(x)[[axis, 1 - axis]] for x in (places, sources))
        total = np.zeros((step.shape[0] + 1, *step.shape[1:]), np.float32)  # row -1: outside
        count = np.zeros(total.shape[:2], np.float32)
        for back in (0, 1):  # from the pixel on, and from the one before up to it
            total[place[0] - back, place[1]] += step[source[0] - back, source[1]]
            count[place[0] - back, place[1]] += 1
        mean = total / np.maximum(count, 1)[..., None]
        results.append(np.asarray(np.moveaxis(mean[:-1], 0, axis), np.float32))
    return results[1], results[0]


def _with_edges(wanted: Floats, voted: Floats) -> Floats:
    """The wanted differences, but where the voted fill has an edge that no source has: its own.

    A step in light between two copies is to go; a horizon between copies of sky and of grass stays.
    """
    step = np.abs(voted - wanted).max(axis=2, keepdims=True)
    share = np.clip((step - _STEP) / (_EDGE - _STEP), 0, 1)
    result: Floats = wanted + share * (voted - wanted)
    return result


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


def _two(position: NDArray[np.floating], length: int) -> tuple[tuple[Integers, Floats], ...]:
    """The two whole numbers next to each position, within the length, and their shares."""
    before = np.floor(position).astype(np.intp)
    share = (position - before).astype(np.float32)
    return (
        (np.clip(before, 0, length - 1), 1 - share),
        (np.clip(before + 1, 0, length - 1), share),
    )
