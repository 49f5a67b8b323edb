"""What is seen of pixels as 8-bit colours: which there are, how far apart they are."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from regionwise.arrays import Bytes, Mask
from regionwise.photos.colors import luminance

HALF = 128
_SATURATED = 48  # between a pixel's lowest and highest channel
NEAR = 24  # of 255: what a second JPEG encoding may change
FEW = 32  # values that a mask of labels may have
MANY = 64  # colours that only a photo has
SMALL = 64 * 64  # pixels; in a smaller picture statistics say nothing


def whiteness(color: Bytes, alpha: Bytes | None) -> Mask:
    """Where a picture is white rather than black: its luminance, laid over black."""
    grey = luminance(color)
    if alpha is None:
        return np.asarray(grey >= HALF)
    return np.asarray(grey.astype(np.uint32) * alpha >= np.uint32(HALF * 255))


def is_neutral(color: Bytes) -> bool:
    """Whether a picture is black, white and grey alone."""
    red = color[..., 0]
    return np.array_equal(red, color[..., 1]) and np.array_equal(red, color[..., 2])


def color_counts(color: Bytes, *, neutral: bool = False) -> dict[int, int]:
    """How often each colour is there, as 0xrrggbb, the most frequent first."""
    found: npt.NDArray[np.intp]
    if neutral:
        counts = np.bincount(color[..., 0].ravel())
        values = np.flatnonzero(counts)
        numbers, found = counts[values], values * 0x010101
    elif color.size < SMALL:
        colors, numbers = np.unique(_keys(color), return_counts=True)
        found = colors.astype(np.intp)
    else:
        counts = np.bincount(_keys(color))
        found = np.flatnonzero(counts)
        numbers = counts[found]
    order = np.argsort(-numbers, kind="stable")
    return dict(zip(found[order].tolist(), numbers[order].tolist(), strict=True))


def _keys(color: Bytes) -> npt.NDArray[np.uint32]:
    """Colours as numbers, 0xrrggbb."""
    red, green, blue = (color[..., channel].astype(np.uint32).ravel() for channel in range(3))
    return np.asarray(red * np.uint32(1 << 16) + green * np.uint32(1 << 8) + blue, np.uint32)


def distance_of(color: Bytes, other: Bytes) -> Bytes:
    """The largest difference of a channel, of each pixel."""
    above, below = np.maximum(color, other), np.minimum(color, other)
    apart = above - below
    largest: Bytes = np.maximum(np.maximum(apart[..., 0], apart[..., 1]), apart[..., 2])
    return largest


def is_saturated(color: Bytes) -> Mask:
    """Where pixels have a colour, rather than a grey."""
    red, green, blue = (color[..., channel] for channel in range(3))
    highest = np.maximum(np.maximum(red, green), blue)
    lowest = np.minimum(np.minimum(red, green), blue)
    return np.asarray(highest - lowest >= _SATURATED)
