"""Find text: strokes that are thin against their surroundings, of even width, that stand in lines.

Stroke width is a letter's best sign (Epshtein et al., Detecting Text in Natural Scenes with Stroke
Width Transform, CVPR 2010); here it is read off a distance transform of what a top-hat leaves.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from regionwise.arrays import Floats, Mask

_SIZES = (9, 19, 39)
"""Sides of the top-hats, in pixels: strokes thinner than half of one are seen by it."""
_CONTRAST = 0.15
"""How much a stroke differs from its surroundings, of white, at least."""
_UNEVEN = 0.06
"""Deviation of the light within a letter, of white, at most."""
_FEWEST = 4
"""Letters of a line."""
_GROWN = 2
"""Pixels by which the strokes are widened: their soft rim goes too."""


@dataclass(frozen=True)
class _Letters:
    """What may be letters, an array each: their boxes, stroke widths, light, and numbers."""

    top: Floats
    left: Floats
    height: Floats
    width: Floats
    stroke: Floats
    light: Floats
    number: NDArray[np.intp]


def find_text(grey: Floats, contrast: float = _CONTRAST) -> Mask:
    """Find text.

    Args:
        grey: H×W in [0, 1].
        contrast: of a stroke against its surroundings, at least.

    Returns:
        H×W bool: the strokes, a little widened.
    """
    from scipy.ndimage import binary_dilation, label

    found = np.zeros(grey.shape, bool)
    for size in _SIZES:
        if 2 * size > min(grey.shape):
            continue
        for sign in (1, -1):
            strokes = _strokes(sign * grey, size, contrast)
            labels, count = label(strokes, np.ones((3, 3)))
            if count:
                letters = _letters(labels, count, strokes, grey, size)
                found |= np.isin(labels, letters.number[_in_lines(letters)])
    return np.asarray(binary_dilation(found, iterations=_GROWN)) if found.any() else found


def _strokes(grey: Floats, size: int, contrast: float) -> Mask:
    """Bright strokes: above half of the strongest top-hat near by."""
    from scipy.ndimage import grey_opening, maximum_filter

    hat = grey - grey_opening(grey, (size, size))
    return np.asarray(hat > np.maximum(contrast, 0.5 * maximum_filter(hat, size)))


def _letters(
    labels: NDArray[np.intp], count: int, strokes: Mask, grey: Floats, size: int
) -> _Letters:
    """The pieces that have the form of letters."""
    from scipy.ndimage import (
        distance_transform_edt,
        find_objects,
        maximum_filter,
        mean,
        standard_deviation,
    )

    numbers = np.arange(1, count + 1)
    boxes = np.array(
        [[b[0].start, b[1].start, b[0].stop - b[0].start, b[1].stop - b[1].start]
         for b in find_objects(labels)], np.float32,
    )  # fmt: skip
    depth = distance_transform_edt(strokes)
    ridge = np.where((depth >= maximum_filter(depth, 3)) & strokes, labels, 0)
    stroke = np.asarray(mean(depth, ridge, numbers))
    spread = np.asarray(standard_deviation(depth, ridge, numbers))
    light = np.asarray(mean(grey, labels, numbers))
    core = np.where(depth > 1, labels, 0)  # without the soft rim
    with np.errstate(invalid="ignore"):  # letters as thin as their rim have no core
        uneven = np.nan_to_num(np.asarray(standard_deviation(grey, core, numbers)))
    area = np.bincount(labels.ravel(), minlength=count + 1)[1:]
    _, _, height, width = boxes.T
    filled = area / (height * width)
    usable = (
        (height >= 6) & (height <= 4 * size) & (width <= 12 * height) & (height <= 12 * width)
        & (area >= 12) & (filled > 0.12) & (filled < 0.98) & (spread < 0.4 * stroke + 0.2)
        & (2 * stroke < 0.5 * np.maximum(height, width) + 1) & (uneven < _UNEVEN)
    )  # fmt: skip
    top, left, height, width = boxes[usable].T
    return _Letters(top, left, height, width, stroke[usable], light[usable], numbers[usable])


def _in_lines(letters: _Letters) -> NDArray[np.intp]:
    """Which letters stand in a line with enough that are like them."""
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    count = len(letters.number)
    if count < _FEWEST:
        return np.zeros(0, np.intp)
    order = np.argsort(letters.left)
    pairs = []
    for position, one in enumerate(order):
        right = letters.left[one] + letters.width[one]
        later = order[position + 1 :]
        near = later[letters.left[later] - right < 1.5 * letters.height[one]]
        pairs.append(np.stack([np.full(len(near), one), near]))
    first, second = np.concatenate(pairs, axis=1)
    like = _alike(letters, first, second)
    graph = coo_matrix((np.ones(like.sum()), (first[like], second[like])), shape=(count, count))
    number, lines = connected_components(graph, directed=False)
    kept = np.zeros(count, bool)
    for line in range(number):
        members = np.flatnonzero(lines == line)
        if _is_line(letters, members):
            kept[members] = True
            kept |= _beside(letters, members)
    return np.asarray(np.flatnonzero(kept))


def _beside(letters: _Letters, members: NDArray[np.intp]) -> Mask:
    """What has a line's light and lies in its band: dots, signs, and words of one letter."""
    top, left = letters.top[members], letters.left[members]
    bottom, right = top + letters.height[members], left + letters.width[members]
    height = float(np.median(letters.height[members]))
    middle = letters.top + letters.height / 2
    return np.asarray(
        (middle > top.min() - 0.2 * height)
        & (middle < bottom.max() + 0.2 * height)
        & (letters.left > left.min() - 2 * height)
        & (letters.left + letters.width < right.max() + 2 * height)
        & (letters.height < 1.5 * (bottom - top).max())
        & (np.abs(letters.light - letters.light[members].mean()) < _UNEVEN)
    )


def _is_line(letters: _Letters, members: NDArray[np.intp]) -> bool:
    """Whether letters of even light and stroke stand on one straight line."""
    if len(members) < _FEWEST:
        return False
    stroke, light = letters.stroke[members], letters.light[members]
    if stroke.std() > 0.35 * stroke.mean() or light.std() > _UNEVEN:
        return False
    x = letters.left[members] + letters.width[members] / 2
    bottom = letters.top[members] + letters.height[members]
    height = float(np.median(letters.height[members]))
    if np.ptp(x) < 2 * height:
        return False
    return any(_off_line(x, y) < 0.12 * height for y in (bottom, letters.top[members]))


def _off_line(x: NDArray[np.floating], y: NDArray[np.floating]) -> float:
    """How far points lie off a straight line, the median, in pixels; it rises by half at most."""
    slopes = (y[:, None] - y) / np.where(x[:, None] == x, np.inf, x[:, None] - x)
    slope = float(np.clip(np.median(slopes[np.triu_indices(len(x), 1)]), -0.5, 0.5))
    rest = y - slope * x
    return float(np.median(np.abs(rest - np.median(rest))))


def _alike(letters: _Letters, one: NDArray[np.intp], other: NDArray[np.intp]) -> Mask:
    """Whether two letters may be neighbours in a word."""
    tall, short = letters.height[one], letters.height[other]
    larger, smaller = np.maximum(tall, short), np.minimum(tall, short)
    bottom_one, bottom_other = letters.top[one] + tall, letters.top[other] + short
    head = np.abs(letters.top[one] - letters.top[other])
    base = np.abs(bottom_one - bottom_other)
    gap = np.maximum(
        letters.left[other] - letters.left[one] - letters.width[one],
        letters.left[one] - letters.left[other] - letters.width[other],
    )
    strokes = letters.stroke[one] / letters.stroke[other]
    return np.asarray(
        (larger < 2.2 * smaller)
        & (np.minimum(base, head) < 0.25 * larger)
        & (gap < 1.2 * larger)
        & (np.abs(np.log(strokes)) < 0.5)
        & (np.abs(letters.light[one] - letters.light[other]) < 0.12)
    )
