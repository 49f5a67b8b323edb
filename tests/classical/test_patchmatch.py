"""Exemplar-based completion, against slow searches and pictures whose truth is known."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from regionwise.classical import patchmatch
from regionwise.classical.membrane import membrane_fill
from regionwise.classical.patchmatch import RADIUS, complete, search, vote
from regionwise.engines.classical_engine import patchmatch as patchmatch_engine


def random_picture(height: int, width: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).random((height, width, 3), np.float32)


def box(height: int, width: int, top: int, left: int, rows: int, columns: int) -> np.ndarray:
    hole = np.zeros((height, width), bool)
    hole[top : top + rows, left : left + columns] = True
    return hole


def slow_nearest(picture: np.ndarray, hole: np.ndarray) -> dict[tuple[int, int], float]:
    """For each patch that touches the hole, the distance of its nearest known patch, by loops."""
    height, width = hole.shape
    reach = 2 * RADIUS + 1
    padded = np.pad(picture, ((RADIUS, RADIUS), (RADIUS, RADIUS), (0, 0)), mode="edge")
    missing = np.pad(hole, RADIUS, constant_values=False)
    known = [
        padded[y : y + reach, x : x + reach]
        for y in range(RADIUS, height - RADIUS)
        for x in range(RADIUS, width - RADIUS)
        if not missing[y : y + reach, x : x + reach].any()
    ]
    return {
        (y, x): min(
            float(((padded[y : y + reach, x : x + reach] - patch) ** 2).mean()) for patch in known
        )
        for y in range(height)
        for x in range(width)
        if missing[y : y + reach, x : x + reach].any()
    }


def test_the_first_search_is_exact() -> None:
    picture, hole = random_picture(24, 21), box(24, 21, 9, 8, 4, 3)
    found = search(picture, hole, None, np.random.default_rng(0))
    slow = slow_nearest(picture, hole)
    rows, columns = (place - RADIUS for place in np.divmod(found.targets, found.width))
    assert len(slow) == len(rows)
    expected = [slow[int(y), int(x)] for y, x in zip(rows, columns, strict=True)]
    np.testing.assert_allclose(found.distances, expected, rtol=1e-4)


def test_later_searches_only_improve_and_come_near_the_best(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    picture, hole = random_picture(40, 37), box(40, 37, 15, 12, 9, 8)
    picture = np.round(picture * 2) / 2
    rng = np.random.default_rng(0)
    best = search(picture, hole, None, rng).distances.copy()
    monkeypatch.setattr(patchmatch, "_PAIRS", 1000)  # a poor start
    found = search(picture, hole, None, rng)
    for _ in range(12):
        before = found.distances.copy()
        found = search(picture, hole, found, rng)
        assert np.all(found.distances <= before + 1e-6)
        assert np.all(found.is_source[found.sources])
    assert found.distances.mean() < 1.1 * best.mean()


def test_a_vote_is_the_weighted_mean_of_what_the_patches_found() -> None:
    picture, hole = random_picture(20, 20), box(20, 20, 9, 9, 2, 2)
    found = search(picture, hole, None, np.random.default_rng(0))
    voted = vote(picture, hole, found)
    padded = np.pad(picture, ((RADIUS, RADIUS), (RADIUS, RADIUS), (0, 0)), mode="edge")
    typical = np.quantile(found.distances, 0.75)
    y, x = 10, 9
    total, weights = np.zeros(3), 0.0
    for target, source, distance in zip(found.targets, found.sources, found.distances, strict=True):
        row, column = divmod(int(target), found.width)
        down, right = y + RADIUS - row, x + RADIUS - column
        if max(abs(down), abs(right)) <= RADIUS:
            outside = not hole[row - RADIUS, column - RADIUS]
            weight = np.exp(-distance / (2 * typical)) * 1.3 ** (0.0 if outside else -1.0)
            source_row, source_column = divmod(int(source), found.width)
            total += weight * padded[source_row + down, source_column + right]
            weights += weight
    np.testing.assert_allclose(voted[y, x], total / weights, rtol=1e-4)
    assert np.array_equal(voted[~hole], picture[~hole])


@pytest.mark.parametrize("period", [6, 9])
def test_a_periodic_texture_is_continued(period: int) -> None:
    tile = random_picture(period, period, seed=1)
    truth = np.tile(tile, (96 // period + 1, 96 // period + 1, 1))[:90, :96]
    hole = box(90, 96, 30, 34, 24, 26)
    filled = complete(np.where(hole[..., None], 0, truth).astype(np.float32), hole)
    smooth = membrane_fill(truth.transpose(2, 0, 1)[None], hole[None, None].astype(np.float32))[0]
    error = np.abs(filled - truth)[hole].mean()
    assert error < 0.1 * np.abs(smooth.transpose(1, 2, 0) - truth)[hole].mean()


def test_thin_letters_on_a_step_edge_leave_no_ghost() -> None:
    truth = np.full((80, 100, 3), 0.1, np.float32)
    truth[:, 50:] = 0.9
    hole = np.zeros((80, 100), bool)
    hole[20:60:12, 10:90] = hole[21:60:12, 10:90] = hole[22:60:12, 10:90] = True
    filled = complete(np.where(hole[..., None], 0.5, truth).astype(np.float32), hole)
    assert np.abs(filled - truth).max() < 0.05


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 40), st.integers(1, 40), st.floats(0, 1), st.integers(0, 9))
def test_any_size_and_hole(height: int, width: int, ratio: float, seed: int) -> None:
    picture = random_picture(height, width)
    hole = np.random.default_rng(seed).random((height, width)) < ratio
    spoilt = np.where(hole[..., None], np.nan, picture).astype(np.float32)
    filled = complete(spoilt, hole, seed)
    assert filled.shape == picture.shape
    assert filled.dtype == np.float32
    assert np.isfinite(filled).all()
    assert filled.min() >= 0
    assert filled.max() <= 1
    assert np.array_equal(filled[~hole], picture[~hole])
    assert np.array_equal(filled, complete(spoilt, hole, seed))


def test_the_engine_fills_each_picture_of_a_batch_by_its_own_mask() -> None:
    images = np.stack([random_picture(30, 44, seed).transpose(2, 0, 1) for seed in (1, 2)])
    masks = np.stack([box(30, 44, 8, 9, 5, 6), box(30, 44, 18, 30, 7, 5)])[:, None]
    answers = patchmatch_engine().fill(images, masks.astype(np.float32))
    for image, mask, answer in zip(images, masks, answers, strict=True):
        alone = complete(image.transpose(1, 2, 0), mask[0]).transpose(2, 0, 1)
        assert np.array_equal(answer, alone)
