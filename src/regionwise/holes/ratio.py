"""How many pixels a hole may have, and the last pixels put right."""

from __future__ import annotations

import math
from fractions import Fraction
from functools import lru_cache

import numpy as np
from scipy.ndimage import binary_dilation

from regionwise.arrays import Mask
from regionwise.errors import DataError

Size = tuple[int, int]
Ratio = tuple[float, float]


@lru_cache(maxsize=256)
def pixel_counts(pixels: int, ratio: Ratio) -> tuple[int, int]:
    """The fewest and the most missing pixels whose share of `pixels` lies in (low, high].

    The ends are taken as the decimal numbers they are written as: 30 of 100 pixels are 0.3.

    Raises:
        DataError: if the interval is no part of [0, 1], or no whole number of pixels lies in it.
    """
    low, high = ratio
    if not 0 <= low < high <= 1:
        raise DataError(f"hole ratio ({low}, {high}]: give two numbers, 0 <= low < high <= 1")
    fewest = math.floor(Fraction(repr(float(low))) * pixels) + 1
    most = math.floor(Fraction(repr(float(high))) * pixels)
    if fewest > most:
        raise DataError(
            f"no number of {pixels} pixels is a share in ({low}, {high}]: "
            "take a larger picture or a wider interval"
        )
    return fewest, most


def own_ratio(size: Size, ratio: Ratio | None, default: Ratio) -> Ratio:
    """The ratio if given, else the default, or (0, 1] where a picture is too small for that."""
    if ratio is not None:
        return ratio
    low, high = default
    return default if round(high * size[0] * size[1]) >= 2 + low * size[0] * size[1] else (0.0, 1.0)


def draw_count(rng: np.random.Generator, pixels: int, ratio: Ratio) -> int:
    """A number of missing pixels inside (low, high], a little away from its ends."""
    fewest, most = pixel_counts(pixels, ratio)
    low, high = ratio
    share = low + (0.1 + 0.8 * rng.random()) * (high - low)
    return min(max(round(share * pixels), fewest), most)


def settle(mask: Mask, ratio: Ratio, room: Mask | None = None) -> Mask:
    """Add or take pixels at the hole's rim until its share lies in (low, high].

    Drawn shapes come near the wanted share; on small pictures one pixel can decide.

    Args:
        mask: H×W bool.
        ratio: the interval.
        room: H×W bool, where the hole may lie; everywhere by default.

    Raises:
        DataError: if the interval can't be met inside the room.
    """
    fewest, most = pixel_counts(mask.size, ratio)
    room = np.ones_like(mask) if room is None else room
    if np.count_nonzero(room) < fewest:
        raise DataError(
            f"a hole of more than {ratio[0]} of the picture does not fit inside the margin: "
            "take a smaller margin or a smaller ratio"
        )
    mask = mask & room
    neighbours = np.ones((3, 3), bool)
    while (count := int(np.count_nonzero(mask))) > most:
        rim = mask & binary_dilation(~mask, neighbours)
        _turn(mask, rim if rim.any() else mask, count - most)
    while (count := int(np.count_nonzero(mask))) < fewest:
        rim = binary_dilation(mask, neighbours) & ~mask & room
        _turn(mask, rim if rim.any() else room & ~mask, fewest - count)
    return mask


def _turn(mask: Mask, where: Mask, count: int) -> None:
    """Turn the first `count` pixels of `where`, row by row."""
    rows, columns = np.nonzero(where)
    mask[rows[:count], columns[:count]] ^= True
