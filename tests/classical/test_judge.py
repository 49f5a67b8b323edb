"""How a synthesis and a network's fill are mixed."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from scipy import ndimage

from regionwise.classical.judge import belief, mixed


def _hole() -> np.ndarray:
    hole = np.zeros((60, 70), bool)
    hole[10:50, 15:55] = True
    return hole


def _all(share: float) -> np.ndarray:
    return np.full((60, 70), share, np.float32)


def _depth(hole: np.ndarray) -> np.ndarray:
    return np.asarray(ndimage.distance_transform_edt(hole), np.float32)


def test_belief_rises_with_what_is_known_and_has_no_steps() -> None:
    shares = []
    for width in range(1, 100):
        hole = np.zeros((100, 100), bool)
        hole[:, :width] = True
        shares.append(float(belief(hole, np.ones((100, 100), np.float32))[50, 0]))
    assert all(before >= after for before, after in pairwise(shares))
    assert 0.5 < shares[0] < 1
    assert shares[-1] == 0
    assert max(-np.diff(shares)) < 0.2


def test_belief_falls_with_the_misfit_where_sources_are_few() -> None:
    hole = np.zeros((80, 80), bool)
    hole[10:70, 10:70] = True
    shares = [
        float(belief(hole, np.full((80, 80), misfit, np.float32))[40, 40])
        for misfit in np.geomspace(1e-4, 1e-1, 40)
    ]
    assert shares[0] == 1
    assert shares[-1] == 0
    assert max(-np.diff(shares)) < 0.2


def test_alone_in_the_middle_where_it_is_believed() -> None:
    rng = np.random.default_rng(0)
    synthesis, network = rng.random((2, 60, 70, 3)).astype(np.float32)
    result = mixed(synthesis, network, _hole(), _all(1.0), _depth(_hole()))
    np.testing.assert_allclose(result[20:40, 25:45], synthesis[20:40, 25:45], atol=1e-6)
    edge = np.abs(result - synthesis)[10, 15:55].mean()
    assert edge > 0.05  # the network has its part at the border


def test_no_alien_colors_where_it_is_not() -> None:
    hole = _hole()
    rng = np.random.default_rng(0)
    grain = rng.normal(0, 0.1, (60, 70, 1)).astype(np.float32)
    network = np.full((60, 70, 3), 0.5, np.float32)
    brown = np.clip(np.array([0.6, 0.3, 0.1], np.float32) + grain, 0, 1)
    result = mixed(brown, network, hole, _all(0.0), _depth(hole))
    blurred = ndimage.gaussian_filter(result, (4, 4, 0))[25:35, 30:40]
    assert np.abs(blurred - 0.5).max() < 0.06  # the network's grey
    assert result[25:35, 30:40].std() > 0.02  # with the bricks' grain


@pytest.mark.parametrize("believed", [0.0, 0.4, 1.0])
def test_equal_fills_stay_as_they_are(believed: float) -> None:
    picture = np.random.default_rng(1).random((60, 70, 3)).astype(np.float32)
    result = mixed(picture, picture, _hole(), _all(believed), _depth(_hole()))
    np.testing.assert_allclose(result, picture, atol=1e-6)


def test_the_border_is_as_wide_as_asked() -> None:
    rng = np.random.default_rng(0)
    synthesis, network = rng.random((2, 60, 70, 3)).astype(np.float32)
    near, far = (
        np.abs(
            mixed(synthesis, network, _hole(), _all(1.0), _depth(_hole()), border=border)
            - synthesis
        )[16, 30:40].mean()
        for border in (5.0, 15.0)
    )
    assert near < 1e-6 < far
