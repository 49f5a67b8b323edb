"""Holes of a thickness that keep away from the border."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import label

from regionwise.errors import DataError
from regionwise.holes import removed_object, thickness_of


@settings(max_examples=80, deadline=None)
@given(st.integers(24, 140), st.integers(24, 140), st.floats(3, 60), st.integers(0, 2**32))
def test_an_object_is_one_piece_of_its_thickness_with_a_margin(
    height: int, width: int, low: float, seed: int
) -> None:
    interval = (low, 1.5 * low)
    rng = np.random.default_rng(seed)
    if low > 0.45 * min(height, width):
        with pytest.raises(DataError, match="take larger photos"):
            removed_object((height, width), rng, interval)
        return
    mask = removed_object((height, width), rng, interval)
    assert mask.shape == (height, width)
    assert mask.dtype == bool
    assert label(mask, np.ones((3, 3)))[1] == 1
    margin = max(round(0.03 * min(height, width)), 1)
    assert not mask[:margin].any()
    assert not mask[-margin:].any()
    assert not mask[:, :margin].any()
    assert not mask[:, -margin:].any()
    most = min(interval[1], 0.45 * min(height, width))
    assert low - 2.5 <= thickness_of(mask) <= most + 2.5


@pytest.mark.parametrize("side", [1, 7, 12])
def test_the_thickness_of_a_square_and_of_a_stripe_is_their_width(side: int) -> None:
    mask = np.zeros((30, 40), bool)
    mask[5 : 5 + side, 20 : 20 + side] = True
    assert thickness_of(mask) == pytest.approx(side, abs=1)  # an even one has no middle pixel
    mask[:, 20 : 20 + side] = True
    assert thickness_of(mask) == pytest.approx(side, abs=1)


def test_half_are_blobs_and_half_have_limbs() -> None:
    shares = []
    for seed in range(60):
        mask = removed_object((300, 400), np.random.default_rng(seed), (40, 50))
        rows, columns = np.nonzero(mask)
        shares.append(len(rows) / ((np.ptp(rows) + 1) * (np.ptp(columns) + 1)))
    assert 15 < sum(share < 0.5 for share in shares) < 45  # limbs leave a box empty


def test_the_same_seed_gives_the_same_object() -> None:
    one, other, third = (
        removed_object((90, 70), np.random.default_rng(seed), (12, 20)) for seed in (3, 3, 4)
    )
    assert (one == other).all()
    assert (one != third).any()
