"""Find dust: small round spots that differ from what lies round them far more than noise does."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from regionwise.arrays import Floats, Mask

_LARGEST = 1 / 160
"""Of the photo's longer side, that a spot is wide at most."""
_NOISE = 6.0
"""Times the noise near by that a spot differs."""
_CONTRAST = 0.08
"""What it differs at least, of white."""
_AROUND = 8
"""Pixels round a spot that must be calm."""
_CALM = 0.35
"""Of a spot's difference, that its surroundings differ at most."""


def find_dust(grey: Floats) -> Mask:
    """Find dust.

    Args:
        grey: H×W in [0, 1].

    Returns:
        H×W bool: spots, a little widened.
    """
    from scipy.ndimage import binary_dilation, find_objects, label, median_filter, uniform_filter

    side = max(3, round(_LARGEST * max(grey.shape)))
    if min(grey.shape) < 4 * side:
        return np.zeros(grey.shape, bool)
    residual = grey - median_filter(grey, 2 * side + 1)
    calm = np.minimum(np.abs(residual), _CONTRAST)  # a spot itself is no noise
    noise = 1.25 * uniform_filter(calm, 8 * side + 1)
    spots = np.abs(residual) > np.maximum(_CONTRAST, _NOISE * noise)
    labels, _ = label(spots, np.ones((3, 3)))
    kept = np.zeros(grey.shape, bool)
    for number, box in enumerate(find_objects(labels), start=1):
        height, width = (part.stop - part.start for part in box)
        if max(height, width) > side or max(height, width) > 2.5 * min(height, width):
            continue
        member = labels[box] == number
        if member.sum() >= max(2, 0.4 * height * width) and _is_alone(
            residual, labels, number, box
        ):
            kept[box] |= member
    return np.asarray(binary_dilation(kept, np.ones((3, 3)), iterations=2)) if kept.any() else kept


def _is_alone(
    residual: Floats, labels: NDArray[np.intp], number: int, box: tuple[slice, slice]
) -> bool:
    """Whether what lies round a spot is far calmer than the spot."""
    from scipy.ndimage import binary_dilation

    around = tuple(slice(max(0, part.start - _AROUND), part.stop + _AROUND) for part in box)
    values, member = np.abs(residual[around]), labels[around] == number
    ring = ~binary_dilation(member, np.ones((3, 3)), iterations=2)
    return bool(np.quantile(values[ring], 0.97) < _CALM * values[member].max())
