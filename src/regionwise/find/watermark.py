"""Find a watermark: what stays where all else changes; in a single photo, faint text.

Over many photos the median of their gradients is that of the mark (Dekel et al., On the
Effectiveness of Visible Watermarks, CVPR 2017).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from regionwise.arrays import Floats, Mask
from regionwise.find.text import find_text

_FEWEST = 3
"""Photos from which on their gradients are compared."""
_FAINT = 0.06
"""Contrast of text in a single photo."""
_STRIP = 256
_NOISE = 6.0
_CONTRAST = 0.03


def find_watermark(greys: Sequence[Floats]) -> Mask:
    """Find a watermark.

    Args:
        greys: H×W in [0, 1] each, of one size; the first is asked about.

    Returns:
        H×W bool.
    """
    if len(greys) < _FEWEST:
        return find_text(greys[0], _FAINT)
    from scipy.ndimage import binary_closing, binary_dilation, binary_fill_holes, label

    edges = [_median(greys, axis) for axis in (0, 1)]
    strength = np.hypot(edges[0], edges[1])
    usual = float(np.median(strength)) + 1e-5
    strong = strength > max(_CONTRAST, _NOISE * usual)
    whole = binary_fill_holes(binary_closing(np.pad(strong, 4), np.ones((3, 3)), iterations=2))
    whole = whole[4:-4, 4:-4]
    labels, _ = label(whole, np.ones((3, 3)))
    sizes = np.bincount(labels.ravel())
    sizes[0] = 0
    kept = np.isin(labels, np.flatnonzero(sizes >= 40))
    return np.asarray(binary_dilation(kept, np.ones((3, 3)), iterations=2)) if kept.any() else kept


def _median(greys: Sequence[Floats], axis: int) -> Floats:
    """The median of the photos' differences along an axis, a strip of rows at a time."""
    result = np.zeros(greys[0].shape, np.float32)
    below = 1 - axis  # rows more that differences along columns need
    for start in range(0, len(result), _STRIP):
        rows = [np.diff(grey[start : start + _STRIP + below], axis=axis) for grey in greys]
        middle = np.median(np.stack(rows), axis=0)
        result[start : start + middle.shape[0], : middle.shape[1]] = middle
    return result
