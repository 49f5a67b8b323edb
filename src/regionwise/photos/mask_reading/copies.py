"""A copy of the photo with paint on it: whether it is one, and where the paint is."""

from __future__ import annotations

import numpy as np

from regionwise.arrays import Bytes, Mask
from regionwise.photos.colors import luminance
from regionwise.photos.mask_reading.pixels import FEW, MANY, NEAR, color_counts, distance_of

_COPY_SHARE = 0.25  # of the pixels that must be as in the photo
_LARGE = 1 << 20  # samples; of a larger picture some pixels are looked at first


def is_copy(color: Bytes, photo: Bytes, seen: Mask | None = None) -> bool:
    """Whether a large part of the picture is as in the photo, and not by chance.

    By chance even parts are alike, as two skies; where the photo is rough no other picture is.

    Args:
        color: of the picture.
        photo: of the same size.
        seen: where to compare them; everywhere by default.
    """
    sample = np.s_[::7, ::7]
    alike = np.count_nonzero(distance_of(color[sample], photo[sample]) <= NEAR)
    if color.size > _LARGE and alike < 0.5 * _COPY_SHARE * color[sample].size / 3 and seen is None:
        return False  # as nearly all masks are, told in no time
    distance = distance_of(color, photo)
    rough = _rough(photo)
    if seen is not None:
        distance = np.where(seen, distance, np.uint8(255))
        rough &= seen
    part = distance.size if seen is None else max(int(np.count_nonzero(seen)), 1)
    for limit, fewest in ((0, FEW // 4), (NEAR, MANY)):
        near = distance <= limit
        same = color[near]
        if len(same) < _COPY_SHARE * part:
            continue
        if np.count_nonzero(near & rough) < 0.5 * np.count_nonzero(rough):
            continue
        counts = color_counts(same[None])
        if len(counts) > fewest and len(same) - max(counts.values()) > 0.05 * part:
            return True
    return False


def _rough(photo: Bytes) -> Mask:
    """Where a photo differs from its right or lower neighbour."""
    grey = luminance(photo).astype(np.int16)
    rough = np.zeros(grey.shape, bool)
    rough[:, :-1] |= np.abs(np.diff(grey, axis=1)) > 16
    rough[:-1] |= np.abs(np.diff(grey, axis=0)) > 16
    return rough


def painted_over(color: Bytes, photo: Bytes) -> Mask:
    """Where a copy differs from the photo.

    A lossless copy differs wherever it was painted. In one that was encoded again all of it differs
    a little: there the paint is what differs much, and specks are none. Pixels inside the paint
    that the photo had in that colour already belong to it.
    """
    from scipy.ndimage import binary_opening

    distance = distance_of(color, photo)
    near = distance <= NEAR
    rough = near & _rough(photo)  # where no second encoding gives the same pixels
    same = distance[rough if rough.any() else near]
    exact = int(np.count_nonzero(same)) <= 0.1 * same.size
    painted = np.asarray(
        distance > 0 if exact else binary_opening(distance > 2 * NEAR, iterations=1)
    )
    rows, columns = np.flatnonzero(painted.any(axis=1)), np.flatnonzero(painted.any(axis=0))
    if not len(rows):
        return painted
    box = np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    painted[box] |= _enclosed(painted[box], color[box], 0 if exact else NEAR)
    return painted


def _enclosed(painted: Mask, color: Bytes, tolerance: int) -> Mask:
    """Pixels of the paint's own colour that the paint encloses."""
    from scipy.ndimage import binary_closing, binary_fill_holes

    key = next(iter(color_counts(color[painted][None])))
    paint = np.array([key >> 16, key >> 8 & 255, key & 255], np.uint8)
    closed = binary_fill_holes(binary_closing(np.pad(painted, 3), iterations=2))
    alike = distance_of(color, np.broadcast_to(paint, color.shape)) <= tolerance
    return np.asarray(closed[3:-3, 3:-3] & alike)
