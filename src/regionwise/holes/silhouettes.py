"""Shapes like those of things and people: a body with limbs."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from regionwise.arrays import Mask
from regionwise.holes.blobs import drawn_to_share, star_outlines
from regionwise.holes.ratio import Ratio, Size, own_ratio

_VERTICES = 72


def silhouette(size: Size, rng: np.random.Generator, ratio: Ratio | None = None) -> Mask:
    """One body with up to six limbs, each of one or two tapering parts; it may lie across the edge.

    Args:
        size: height and width of the picture.
        rng: where chance comes from.
        ratio: interval (low, high] of the share of missing pixels; (0.03, 0.45] by default.
    """
    height, width = size
    shape = body_with_limbs(rng)
    turn = rng.uniform(0, 2 * math.pi)
    rotation = np.array([[math.cos(turn), -math.sin(turn)], [math.sin(turn), math.cos(turn)]])
    centers = np.repeat(rng.uniform(0.1, 0.9, (1, 2)) * (width, height), len(shape), axis=0)
    return drawn_to_share(
        size, rng, own_ratio(size, ratio, (0.03, 0.45)), shape @ rotation, centers
    )


def body_with_limbs(rng: np.random.Generator) -> NDArray[np.float64]:
    """Polygons that together are a body of radius about 1 with its limbs: parts × vertices × 2."""
    parts = [star_outlines(rng, 1, vertices=_VERTICES, waves=5)[0]]
    for _ in range(int(rng.integers(1, 7))):
        angle = rng.uniform(0, 2 * math.pi)
        place = 0.6 * np.array([math.cos(angle), math.sin(angle)])
        wide = rng.uniform(0.15, 0.5)
        for _ in range(int(rng.integers(1, 3))):
            end = place + rng.uniform(0.5, 1.6) * np.array([math.cos(angle), math.sin(angle)])
            narrow = wide * rng.uniform(0.5, 1.1)
            parts.append(_capsule(place, end, wide, narrow))
            place, wide, angle = end, narrow, angle + rng.normal(0, 0.7)
    return np.stack(parts)


def _capsule(
    start: NDArray[np.float64], end: NDArray[np.float64], wide: float, narrow: float
) -> NDArray[np.float64]:
    """The hull of two half circles, as a polygon: vertices × (x, y)."""
    along = math.atan2(end[1] - start[1], end[0] - start[0])
    half = np.linspace(-math.pi / 2, math.pi / 2, _VERTICES // 2) + along
    ahead = end + narrow * np.stack([np.cos(half), np.sin(half)], axis=1)
    behind = start - wide * np.stack([np.cos(half), np.sin(half)], axis=1)
    return np.concatenate([ahead, behind])
