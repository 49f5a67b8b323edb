"""The segments that points may mean, from the smallest to the whole photo, and how they look.

How far a pixel is from a point is the strength of border that must be crossed (its ultrametric
distance in the tree of segments); a pixel that is nearer to a point beside the thing is none of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from regionwise.arrays import Floats, Mask
from regionwise.selection.segment_tree import SegmentTree

Location = tuple[int, int]
"""(x, y) at the scale of the tree."""


@dataclass(frozen=True)
class Candidates:
    """K segments, each within the next.

    Attributes:
        rank: H×W, the number of the first segment that a pixel is in; K where it is in none.
        seen: K×F, what is seen of each, see `_seen`.
        area: pixels of each.
    """

    rank: NDArray[np.intp]
    seen: Floats
    area: NDArray[np.int64]

    def mask(self, number: int) -> Mask:
        """H×W, True in a segment."""
        return np.asarray(self.rank <= number)


def candidates(
    tree: SegmentTree,
    border: Floats,
    vector: Floats,
    inside: list[Location],
    outside: list[Location],
) -> Candidates:
    """Find the segments.

    Args:
        tree: of `border` and `vector`.
        border: H×W in [0, 1].
        vector: H×W×C.
        inside: at least one.
        outside: may be empty.
    """
    far = np.min([_distance(tree, place) for place in inside], axis=0)
    allowed = np.ones(far.shape, bool)
    for place in outside:
        allowed &= far < _distance(tree, place)
    for x, y in inside:
        allowed[y, x] = True
    levels, rank = np.unique(far, return_inverse=True)
    rank = np.where(allowed, rank.reshape(far.shape), len(levels))
    likeness = np.max([_likeness(vector, place) for place in inside], axis=0)
    seen, area = _seen(rank, levels, border, likeness, inside)
    return Candidates(rank, seen, area)


def _distance(tree: SegmentTree, place: Location) -> Floats:
    """H×W, the level at which a pixel's segment and that of a place become one; 0 in its leaf."""
    x, y = place
    count = len(tree.parent)
    level = np.full(count, -1.0)
    node, reached = int(tree.leaves[y, x]), 0.0
    while True:
        level[node] = reached
        parent = int(tree.parent[node])
        if parent == node:
            break
        node, reached = parent, float(tree.level[node])
    levels, parents = level.tolist(), tree.parent.tolist()
    for node in range(count - 2, -1, -1):  # a parent's number is larger than its children's
        if levels[node] < 0:
            levels[node] = levels[parents[node]]
    return np.asarray(np.array(levels, np.float32)[tree.leaves])


def _likeness(vector: Floats, place: Location) -> Floats:
    """H×W, each pixel's probability to be of the segment of a place, by its vector."""
    x, y = place
    window = vector[max(0, y - 1) : y + 2, max(0, x - 1) : x + 2]
    offset = vector - window.mean(axis=(0, 1))
    return np.asarray(1 / (1 + np.exp((offset**2).sum(axis=2) - 2)), np.float32)


def _seen(
    rank: NDArray[np.intp],
    levels: Floats,
    border: Floats,
    likeness: Floats,
    inside: list[Location],
) -> tuple[Floats, NDArray[np.int64]]:
    """What is seen of each segment, as numbers near 1, and its area."""
    count = len(levels)
    flat = rank.ravel()

    def total(weight: NDArray[Any] | None = None) -> NDArray[np.float64]:
        """The sum in each segment."""
        weights = None if weight is None else weight.ravel().astype(np.float64)
        return np.asarray(np.cumsum(np.bincount(flat, weights, count + 1))[:count], np.float64)

    area = total()
    alike = total(likeness)
    crossed, strength = _round(rank, border, count)
    rim = np.zeros(rank.shape, np.float32)
    rim[0] = rim[-1] = 1
    rim[:, 0] = rim[:, -1] = 1
    edge = total(rim)
    y, x = (np.indices(rank.shape)[axis] for axis in (0, 1))
    offset = np.hypot(
        total(x) / area - np.mean([place[0] for place in inside]),
        total(y) / area - np.mean([place[1] for place in inside]),
    )
    radius = np.sqrt(area)
    share = area / rank.size
    later = np.append(levels[1:], levels[-1] + 0.1)
    larger = np.append(area[1:], rank.size) / area
    smaller = area / np.insert(area[:-1], 0, 1)
    columns = [
        np.log10(share) + 2,
        np.sqrt(share),
        levels,
        later,
        np.minimum(1, 4 * (later - levels)),
        strength / np.maximum(1, crossed),
        edge / (edge + crossed),
        crossed / radius / 8,
        alike / area,
        alike / (area + float(likeness.sum()) - alike),
        np.minimum(2, _depth(rank, inside, count) / radius * 3),
        np.minimum(2, offset / radius * 2),
        np.minimum(2, np.log(larger)),
        np.minimum(2, np.log(smaller)),
        np.where(crossed == 0, 1.0, 0.0),
    ]
    return np.stack(columns, axis=1).astype(np.float32), area.astype(np.int64)


def _round(
    rank: NDArray[np.intp], border: Floats, count: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The pixel pairs on each segment's border, and the summed strength there."""
    crossed, strength = np.zeros(count + 1), np.zeros(count + 1)
    for one, other in ((np.s_[:, 1:], np.s_[:, :-1]), (np.s_[1:], np.s_[:-1])):
        first, second = rank[one], rank[other]
        differs = first != second
        low, high = (end(first, second)[differs] for end in (np.minimum, np.maximum))
        between = np.maximum(border[one], border[other])[differs]
        for sums, weights in ((crossed, None), (strength, between)):
            sums += np.bincount(low, weights, count + 1) - np.bincount(high, weights, count + 1)
    return np.cumsum(crossed)[:count], np.cumsum(strength)[:count]


def _depth(rank: NDArray[np.intp], inside: list[Location], count: int) -> NDArray[np.float64]:
    """How far the innermost of the points lies from the border of each segment."""
    y, x = np.indices(rank.shape)
    deepest = np.zeros(count)
    for place in inside:
        far = np.hypot(x - place[0], y - place[1]).ravel()
        nearest = np.full(count + 1, float(max(rank.shape)))
        np.minimum.at(nearest, rank.ravel(), far)
        outside = np.minimum.accumulate(nearest[::-1])[::-1]
        deepest = np.maximum(deepest, outside[1:])
    return deepest
