"""The tree of segments, against slow readings of what it promises; the candidates of a click."""

from itertools import pairwise

import numpy as np
import pytest

from regionwise.selection.candidates import candidates
from regionwise.selection.segment_tree import flooded, segment_tree


def patchwork(seed=0, shape=(24, 36)):
    """Four fields with borders of four strengths between, and noise."""
    rng = np.random.default_rng(seed)
    height, width = shape
    labels = (np.arange(height) >= height // 2)[:, None] * 2 + (np.arange(width) >= width // 2)
    border = rng.uniform(0, 0.05, shape).astype(np.float32)
    border[height // 2] = 0.9
    border[: height // 2, width // 2] = 0.3
    border[height // 2 + 1 :, width // 2] = 0.6
    return labels, border, np.zeros((*shape, 2), np.float32)


def ancestors(tree, leaf):
    nodes = [leaf]
    while tree.parent[nodes[-1]] != nodes[-1]:
        nodes.append(int(tree.parent[nodes[-1]]))
    return nodes


def slowly_flooded(height, markers):
    """The lowest climb from each marker to each pixel, by relaxing until nothing changes."""
    climbs = []
    for label in range(1, markers.max() + 1):
        climb = np.where(markers == label, 0, np.inf)
        while True:
            before = climb.copy()
            for axis in (0, 1):
                for step in (1, -1):
                    near = np.roll(climb, step, axis)
                    edge = [slice(None)] * 2
                    edge[axis] = 0 if step == 1 else -1
                    near[tuple(edge)] = np.inf
                    over = np.maximum(np.roll(height, step, axis), height)
                    climb = np.minimum(climb, np.maximum(near, over))
            climb = np.where(markers == label, 0, climb)
            if (climb == before).all():
                break
        climbs.append(climb)
    return np.array(climbs)


@pytest.mark.parametrize("seed", range(4))
def test_each_pixel_goes_to_the_marker_that_it_is_reached_from_lowest(seed):
    rng = np.random.default_rng(seed)
    height = rng.random((13, 19), np.float32)
    markers = np.zeros((13, 19), int)
    for label, place in enumerate(rng.choice(13 * 19, 4, replace=False), 1):
        markers.flat[place] = label
    labels = flooded(height, markers)
    climbs = slowly_flooded(height, markers)
    assert (labels[markers > 0] == markers[markers > 0]).all()
    y, x = np.indices(labels.shape)
    assert (climbs[labels - 1, y, x] <= climbs.min(axis=0) + 1e-6).all()


@pytest.mark.parametrize("seed", range(3))
def test_a_tree_is_a_tree(seed):
    rng = np.random.default_rng(seed)
    border = rng.random((17, 23), np.float32)
    tree = segment_tree(border, rng.random((17, 23, 3), np.float32))
    leaves = int(tree.leaves.max()) + 1
    assert set(np.unique(tree.leaves)) == set(range(leaves))
    assert len(tree.parent) == 2 * leaves - 1
    assert np.isinf(tree.level[-1])
    assert tree.parent[-1] == len(tree.parent) - 1
    children = np.bincount(tree.parent[:-1], minlength=len(tree.parent))
    assert (children[:leaves] == 0).all()
    assert (children[leaves:] == 2).all()
    assert (tree.parent[:-1] > np.arange(len(tree.parent) - 1)).all()
    assert (tree.level[:-1] <= tree.level[tree.parent[:-1]]).all()


def test_weak_borders_fall_first():
    _, border, vector = patchwork()
    tree = segment_tree(border, vector)
    corners = {0: (2, 2), 1: (33, 2), 2: (2, 21), 3: (33, 21)}
    paths = {name: ancestors(tree, int(tree.leaves[y, x])) for name, (x, y) in corners.items()}

    def joined(one, other):
        """The level at which two corners become one."""
        common = next(node for node in paths[one] if node in paths[other])
        return max(tree.level[node] for node in paths[one][: paths[one].index(common)])

    assert joined(0, 1) < joined(2, 3) < joined(0, 2)


def test_segments_of_unlike_vectors_stay_apart_longer():
    _, border, vector = patchwork()
    border[:] = 0.1
    border[:, 18] = 0.15
    border[12] = 0.15
    alike = segment_tree(border, vector)
    vector[:12] = 3
    unlike = segment_tree(border, vector)
    assert np.sort(unlike.level)[-3] > np.sort(alike.level)[-3] + 0.2


def test_candidates_lie_within_each_other_and_end_with_the_photo():
    labels, border, vector = patchwork()
    found = candidates(segment_tree(border, vector), border, vector, [(2, 2)], [])
    masks = [found.mask(number) for number in range(len(found.area))]
    assert all((one <= other).all() for one, other in pairwise(masks))
    assert all(mask[2, 2] for mask in masks)
    assert masks[-1].all()
    assert [mask.sum() for mask in masks] == found.area.tolist()
    field = labels == 0
    overlap = max((mask & field).sum() / (mask | field).sum() for mask in masks)
    assert overlap > 0.85  # the pixels of the border itself may go either way


def test_what_is_nearer_to_a_point_beside_is_left_out():
    _, border, vector = patchwork()
    tree = segment_tree(border, vector)
    found = candidates(tree, border, vector, [(2, 2)], [(33, 2)])
    largest = found.mask(len(found.area) - 1)
    assert largest[2, 2]
    assert not largest[2, 33]
    both = candidates(tree, border, vector, [(2, 2), (33, 21)], [])
    assert all(both.mask(one)[2, 2] and both.mask(one)[21, 33] for one in range(len(both.area)))


def test_what_is_seen_is_what_a_slow_look_sees():
    rng = np.random.default_rng(5)
    border = rng.random((15, 20), np.float32)
    vector = rng.random((15, 20, 3), np.float32)
    place = (8, 6)
    found = candidates(segment_tree(border, vector), border, vector, [place], [])
    window = vector[5:8, 7:10].mean(axis=(0, 1))
    alike = 1 / (1 + np.exp(((vector - window) ** 2).sum(axis=2) - 2))
    y, x = np.indices(border.shape)
    for number in range(len(found.area) - 1):
        mask = found.mask(number)
        pairs = [
            (max(border[a], border[b]))
            for a in np.ndindex(border.shape)
            for b in ((a[0] + 1, a[1]), (a[0], a[1] + 1))
            if b[0] < 15 and b[1] < 20 and mask[a] != mask[b]
        ]
        seen = found.seen[number]
        assert seen[5] == pytest.approx(np.mean(pairs), abs=1e-5)
        assert seen[7] == pytest.approx(len(pairs) / np.sqrt(mask.sum()) / 8, rel=1e-5)
        assert seen[8] == pytest.approx(alike[mask].mean(), rel=1e-4)
        assert seen[9] == pytest.approx(
            alike[mask].sum() / (mask.sum() + alike[~mask].sum()), rel=1e-4
        )
        depth = np.hypot(x - 8, y - 6)[~mask].min() / np.sqrt(mask.sum()) * 3
        assert seen[10] == pytest.approx(min(2, depth), rel=1e-4)


def test_a_photo_without_any_border():
    flat = np.zeros((9, 9), np.float32)
    tree = segment_tree(flat, np.zeros((9, 9, 2), np.float32))
    found = candidates(tree, flat, np.zeros((9, 9, 2), np.float32), [(4, 4)], [(0, 0)])
    assert found.mask(0)[4, 4]
