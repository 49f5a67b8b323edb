"""Numbers as colours: one map for amounts, one for signs."""

from __future__ import annotations

import numpy as np

from regionwise.arrays import Bools, Bytes, Reals

_AMOUNT = ((68, 1, 84), (59, 82, 139), (33, 145, 140), (94, 201, 98), (253, 231, 37))
"""Viridis at its quarters: evenly lighter from 0 to 1, and readable for the colour-blind."""

_SIGN = ((33, 102, 172), (146, 197, 222), (247, 247, 247), (244, 165, 130), (178, 24, 43))
"""ColorBrewer's RdBu turned round: blue below 0, white at 0, red above."""


def amounts(values: Reals) -> Bytes:
    """Dark violet for 0 to yellow for 1; H×W → H×W×3."""
    return _interpolated(values, _AMOUNT)


def signs(values: Reals, largest: float) -> Bytes:
    """Blue for −largest, white for 0, red for largest; H×W → H×W×3."""
    return _interpolated(values / (2 * max(largest, 1e-12)) + 0.5, _SIGN)


def grey(values: Reals) -> Bytes:
    """Black for the smallest value, white for the largest; H×W → H×W×3."""
    low, high = float(values.min()), float(values.max())
    return _interpolated((values - low) / max(high - low, 1e-12), ((0, 0, 0), (255, 255, 255)))


def black_and_white(flags: Bools) -> Bytes:
    """White where set; H×W → H×W×3."""
    colors: Bytes = np.repeat(flags[..., None], 3, axis=-1).astype(np.uint8) * np.uint8(255)
    return colors


def _interpolated(shares: Reals, anchors: tuple[tuple[int, int, int], ...]) -> Bytes:
    places = np.linspace(0, 1, len(anchors))
    channels = [np.interp(shares, places, channel) for channel in zip(*anchors, strict=True)]
    colors: Bytes = np.rint(np.stack(channels, axis=-1)).astype(np.uint8)
    return colors
