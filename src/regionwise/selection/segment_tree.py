"""A tree of a photo's segments: two that touch are joined where the border between is weakest.

The leaves are the basins of a watershed of the border map; each join takes the two neighbours with
the weakest mean border between them, as in the ultrametric contour maps of Arbeláez et al., Contour
Detection and Hierarchical Image Segmentation (PAMI 2011). Segments that a click may mean are the
leaf under it and all that it is joined into.
"""

from __future__ import annotations

import heapq
import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from regionwise.arrays import Floats

_BASIN = 5
"""Side of the window in which a basin's lowest pixel is looked for."""
_UNLIKE = 0.5
"""Weight of how unlike two segments' vectors are, against the border between them."""


@dataclass(frozen=True)
class SegmentTree:
    """Nodes 0 to L-1 are leaves; the node L+i came of the i-th join, the last one is the photo.

    Attributes:
        leaves: H×W, the leaf that each pixel lies in.
        parent: of each node; the root's is itself.
        level: the strength of the border at which a node is joined to another, never falling
            towards the root; the root's is infinite.
    """

    leaves: NDArray[np.int32]
    parent: NDArray[np.int32]
    level: Floats


def segment_tree(border: Floats, vector: Floats) -> SegmentTree:
    """Build the tree.

    Args:
        border: H×W in [0, 1].
        vector: H×W×C; pixels of one segment are near each other.
    """
    leaves = _basins(border)
    count = int(leaves.max()) + 1
    joining = _Joining(leaves, count, border, vector)
    while len(joining.parent) < 2 * count - 1:
        joining.step()
    return joining.tree(leaves)


def _basins(border: Floats) -> NDArray[np.int32]:
    """Labels from 0 of the watershed's basins, one for each lowest place."""
    from scipy.ndimage import label, minimum_filter

    lowest, _ = label(border == minimum_filter(border, _BASIN), np.ones((3, 3)))
    return flooded(border, lowest) - 1


def flooded(height: Floats, markers: NDArray[np.integer]) -> NDArray[np.int32]:
    """The watershed from markers: each pixel goes to the one that it is reached from lowest.

    It is cut out of a minimum spanning tree (Cousty et al., Watershed Cuts, PAMI 2009).

    Args:
        height: H×W, from 0 up.
        markers: H×W, labels from 1 to L, 0 elsewhere; at least one of each.

    Returns:
        H×W, the labels.
    """
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components, minimum_spanning_tree

    count, pixels = int(markers.max()), height.size
    index = np.arange(pixels).reshape(height.shape)
    marked = np.flatnonzero(markers)
    # Beside the pixels there is a node for each marker, and a root that holds these together.
    hubs, root = pixels + np.arange(count), pixels + count
    one = [index[:, 1:].ravel(), index[1:].ravel(), marked, hubs]
    other = [
        index[:, :-1].ravel(),
        index[:-1].ravel(),
        hubs[markers.ravel()[marked] - 1],
        np.full(count, root),
    ]
    climb = [
        3 + np.maximum(height[:, 1:], height[:, :-1]).ravel(),
        3 + np.maximum(height[1:], height[:-1]).ravel(),
        np.full(len(marked), 2.0),
        np.full(count, 1.0),
    ]
    ends = np.concatenate(one), np.concatenate(other)
    graph = coo_matrix((np.concatenate(climb), ends), shape=(root + 1, root + 1))
    tree = minimum_spanning_tree(graph.tocsr()).tocoo()
    kept = (tree.row != root) & (tree.col != root)
    forest = coo_matrix((tree.data[kept], (tree.row[kept], tree.col[kept])), shape=(root, root))
    _, component = connected_components(forest, directed=False)
    label_of = np.empty(count, np.int32)
    label_of[component[hubs]] = np.arange(1, count + 1)
    return np.asarray(label_of[component[:pixels]].reshape(height.shape), np.int32)


class _Joining:
    """The segments that are left, and how strong the borders between them are."""

    def __init__(
        self, leaves: NDArray[np.int32], count: int, border: Floats, vector: Floats
    ) -> None:
        flat = leaves.ravel()
        self.parent = list(range(count))
        self.level = [np.inf] * count
        self.area = np.bincount(flat, minlength=count).tolist()
        sums = [np.bincount(flat, channel.ravel(), count) for channel in np.moveaxis(vector, 2, 0)]
        self.vector = list(np.stack(sums, axis=1) / np.array(self.area)[:, None])
        self.beside: list[dict[int, tuple[float, int]]] = [{} for _ in range(count)]
        for one, other, strength, length in zip(*_touching(leaves, border), strict=True):
            self.beside[one][other] = self.beside[other][one] = strength, length
        self.heap = [
            (self.cost(one, other), one, other)
            for one in range(count)
            for other in self.beside[one]
            if one < other
        ]
        heapq.heapify(self.heap)
        self.gone = [False] * count
        self.highest = 0.0

    def cost(self, one: int, other: int) -> float:
        """Of joining two: the mean border between them, and how unlike they are."""
        strength, length = self.beside[one][other]
        offset = self.vector[one] - self.vector[other]
        unlike = 1 / (1 + math.exp(min(50.0, 2 - float(offset @ offset))))
        return float(strength / length + _UNLIKE * unlike)

    def step(self) -> None:
        """Join the two with the least between them."""
        while True:
            cost, one, other = heapq.heappop(self.heap)
            if not (self.gone[one] or self.gone[other]):
                break
        self.highest = max(self.highest, cost)
        node = len(self.parent)
        area = self.area[one] + self.area[other]
        mean = self.vector[one] * self.area[one] + self.vector[other] * self.area[other]
        self.parent.append(node)
        self.level.append(np.inf)
        self.area.append(area)
        self.vector.append(mean / area)
        self.gone.append(False)
        beside: dict[int, tuple[float, int]] = {}
        for child in (one, other):
            self.gone[child] = True
            self.parent[child] = node
            self.level[child] = self.highest
            for neighbour, (strength, length) in self.beside[child].items():
                if not self.gone[neighbour]:
                    more, longer = beside.get(neighbour, (0.0, 0))
                    beside[neighbour] = strength + more, length + longer
        self.beside.append(beside)
        for neighbour, between in beside.items():
            self.beside[neighbour][node] = between
            heapq.heappush(self.heap, (self.cost(neighbour, node), neighbour, node))

    def tree(self, leaves: NDArray[np.int32]) -> SegmentTree:
        """What has been joined."""
        return SegmentTree(
            leaves, np.array(self.parent, np.int32), np.array(self.level, np.float32)
        )


def _touching(
    leaves: NDArray[np.int32], border: Floats
) -> tuple[list[int], list[int], list[float], list[int]]:
    """The pairs of leaves that touch, the summed border between them, and the pixel pairs there."""
    count = int(leaves.max()) + 1
    keys, strengths = [], []
    for one, other in ((np.s_[:, 1:], np.s_[:, :-1]), (np.s_[1:], np.s_[:-1])):
        differs = leaves[one] != leaves[other]
        pair = np.stack([leaves[one][differs], leaves[other][differs]]).astype(np.int64)
        keys.append(pair.min(axis=0) * count + pair.max(axis=0))
        strengths.append(np.maximum(border[one], border[other])[differs])
    pairs, number = np.unique(np.concatenate(keys), return_inverse=True)
    sums = np.bincount(number, np.concatenate(strengths))
    lengths = np.bincount(number)
    return (pairs // count).tolist(), (pairs % count).tolist(), sums.tolist(), lengths.tolist()
