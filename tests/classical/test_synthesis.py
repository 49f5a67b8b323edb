"""The whole synthesis: what it must fill rightly, and how it is stopped."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from regionwise.classical.offset_statistics import offset_prices
from regionwise.classical.patch_search import PatchSearch, known_patches
from regionwise.classical.synthesis import synthesize


def _tiles(height: int, width: int) -> np.ndarray:
    """A pattern that repeats itself every 16 rows and 20 columns."""
    tile = np.random.default_rng(4).random((16, 20, 3)).astype(np.float32)
    return np.tile(tile, (height // 16 + 1, width // 20 + 1, 1))[:height, :width]


def _grey(picture: np.ndarray, hole: np.ndarray) -> np.ndarray:
    return np.where(hole[..., None], np.float32(0.5), picture)


@pytest.mark.parametrize(("height", "width"), [(120, 140), (97, 131)])
def test_a_pattern_goes_on(height: int, width: int) -> None:
    picture = _tiles(height, width)
    hole = np.zeros((height, width), bool)
    hole[40:70, 50:90] = True
    found = synthesize(picture, hole, _grey(picture, hole))
    assert found is not None
    error = np.abs(found.picture - picture)[hole].mean()
    assert error < 0.02  # of noise whose mean difference is a third
    np.testing.assert_array_equal(found.picture[~hole], picture[~hole])


def test_offsets_lead_to_known_patches() -> None:
    rng = np.random.default_rng(0)
    picture = rng.random((90, 90, 3)).astype(np.float32)
    hole = np.zeros((90, 90), bool)
    hole[60:, 20:55] = True  # at the border
    found = synthesize(picture, hole, _grey(picture, hole))
    assert found is not None
    assert found.reached[hole].all()
    rows, columns = np.nonzero(found.reached)
    down, right = found.offsets[rows, columns].T
    assert known_patches(hole)[rows + down, columns + right].all()


def test_a_sharp_guide_decides_between_equals() -> None:
    picture = np.full((96, 192, 3), 0.2, np.float32)
    picture[:, 96:] = 0.8
    hole = np.zeros((96, 192), bool)
    hole[20:76, 60:132] = True
    for edge in (80, 112):
        guide = picture.copy()
        guide[20:76, 60:132] = np.where(np.arange(60, 132) < edge, 0.2, 0.8)[None, :, None]
        found = synthesize(picture, hole, guide)
        assert found is not None
        middle = found.picture[48, 60:132, 0]
        assert ((middle < 0.35) | (middle > 0.65)).mean() > 0.9  # an edge, not a ramp


def test_the_same_seed_gives_the_same_fill() -> None:
    rng = np.random.default_rng(0)
    picture = rng.random((80, 80, 3)).astype(np.float32)
    hole = np.zeros((80, 80), bool)
    hole[30:50, 30:50] = True
    first, second = (synthesize(picture, hole, _grey(picture, hole), seed=7) for _ in range(2))
    assert first is not None
    assert second is not None
    np.testing.assert_array_equal(first.picture, second.picture)


def test_a_frame_keeps_the_sources_of_the_frame_before() -> None:
    rng = np.random.default_rng(0)
    scene = rng.random((80, 80, 3)).astype(np.float32)
    hole = np.zeros((80, 80), bool)
    hole[30:50, 30:50] = True
    frames = [scene + rng.normal(0, 0.01, scene.shape).astype(np.float32) for _ in range(2)]
    first = synthesize(frames[0], hole, _grey(frames[0], hole))
    assert first is not None
    steady = synthesize(frames[1], hole, _grey(frames[1], hole), previous=first.offsets)
    afresh = synthesize(frames[1], hole, _grey(frames[1], hole), seed=1)
    assert steady is not None
    assert afresh is not None
    same = (steady.offsets == first.offsets).all(axis=2)[hole].mean()
    assert same > 0.95
    assert same > (afresh.offsets == first.offsets).all(axis=2)[hole].mean()


def test_too_little_known_is_told() -> None:
    picture = np.zeros((20, 20, 3), np.float32)
    hole = np.ones((20, 20), bool)
    hole[:8, :8] = False
    assert synthesize(picture, hole, picture) is None
    assert synthesize(picture, np.zeros((20, 20), bool), picture) is None


def test_progress_rises_and_can_stop_the_search() -> None:
    picture = _tiles(120, 140)
    hole = np.zeros((120, 140), bool)
    hole[40:70, 50:90] = True
    shares: list[float] = []
    synthesize(picture, hole, picture, progress=shares.append)
    assert len(shares) > 30
    assert all(before <= after for before, after in pairwise(shares))
    assert 0 <= shares[0] < shares[-1] <= 1

    class StoppedError(Exception):
        """What a server raises when its client has gone."""

    def stop(share: float) -> None:
        if share > 0.5:
            raise StoppedError

    with pytest.raises(StoppedError):
        synthesize(picture, hole, picture, progress=stop)


def test_common_offsets_cost_nothing() -> None:
    picture = np.concatenate([_tiles(90, 110), np.zeros((90, 110, 1), np.float32)], axis=2)
    hole = np.zeros((90, 110), bool)
    hole[30:50, 40:60] = True
    rng = np.random.default_rng(0)
    search = PatchSearch(picture, hole, 0, rng, lambda: None)
    prices = offset_prices(search, rng)
    assert prices.shape == (181, 221)
    for down, right in ((0, 20), (16, 0), (-16, 0), (0, -20)):
        assert prices[90 + down, 110 + right] < 0.5
    assert np.median(prices) > 0.99
    assert prices[90, 110 + 10] > 0.99  # half a period
