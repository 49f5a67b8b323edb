"""Find scratches: long thin lines of even light, brighter or darker than both their sides."""

from __future__ import annotations

import numpy as np

from regionwise.arrays import Floats, Mask

_THICKEST = 7
"""Pixels across a scratch."""
_LONGEST_SHARE = 1 / 14
"""Of the photo's longer side, that a scratch is long at least."""
_SURE, _LIKELY = 0.2, 0.1
"""What a line differs from both its sides, of white: somewhere, and all along."""
_BUSY = 2.5
"""Times the mean of such differences near by that a line must have: fur is no scratch."""
_UNEVEN = 0.12
"""Deviation of the light along a line, of white, at most."""


def find_scratches(grey: Floats) -> Mask:
    """Find scratches.

    Args:
        grey: H×W in [0, 1].

    Returns:
        H×W bool: lines, a little widened.
    """
    from scipy.ndimage import binary_dilation, grey_closing, grey_opening

    if min(grey.shape) < 2 * _THICKEST:
        return np.zeros(grey.shape, bool)
    square = (_THICKEST + 2, _THICKEST + 2)
    bright = _lines(grey - grey_opening(grey, square), grey)
    dark = _lines(grey_closing(grey, square) - grey, grey)
    found = bright | dark
    return (
        np.asarray(binary_dilation(found, np.ones((3, 3)), iterations=2)) if found.any() else found
    )


def _lines(thin: Floats, grey: Floats) -> Mask:
    """The long thin pieces of what a top-hat leaves."""
    from scipy.ndimage import find_objects, label, uniform_filter

    busy = _BUSY * uniform_filter(thin, 8 * _THICKEST + 1)
    labels, _ = label(thin > np.maximum(_LIKELY, busy), np.ones((3, 3)))
    shortest = max(12.0, _LONGEST_SHARE * max(grey.shape))
    kept = np.zeros(grey.shape, bool)
    for number, box in enumerate(find_objects(labels), start=1):
        length = float(np.hypot(*(part.stop - part.start for part in box)))
        if length < shortest:
            continue
        member = labels[box] == number
        core = member & (thin[box] > 0.5 * thin[box][member].max())
        if (
            member.sum() <= _THICKEST * length
            and np.quantile(thin[box][member], 0.6) > _SURE
            and grey[box][core].std() < _UNEVEN
        ):
            kept[box] |= member
    return kept
