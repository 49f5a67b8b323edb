import math

import numpy as np
import pytest
from scipy import stats

from regionwise.evaluation.bootstrap import _medians, estimate, paired_difference


def test_the_interval_of_a_mean_agrees_with_scipy():
    values = np.random.default_rng(0).normal(25, 3, 60)
    ours = estimate(values, range(60))
    theirs = stats.bootstrap(
        (values,), np.mean, method="percentile", n_resamples=9999
    ).confidence_interval
    assert ours.value == pytest.approx(values.mean())
    assert ours.count == 60
    assert ours.low == pytest.approx(theirs.low, abs=0.1)
    assert ours.high == pytest.approx(theirs.high, abs=0.1)


def test_the_interval_of_a_ratio_agrees_with_scipy():
    rng = np.random.default_rng(1)
    bottom = rng.uniform(1, 5, 80)
    top = bottom * rng.uniform(0.1, 0.3, 80)
    ours = estimate(top, range(80), over=bottom)
    theirs = stats.bootstrap(
        (top, bottom),
        lambda x, y, axis: x.sum(axis) / y.sum(axis),
        paired=True,
        method="percentile",
        n_resamples=9999,
    ).confidence_interval
    assert ours.value == pytest.approx(top.sum() / bottom.sum())
    assert ours.low == pytest.approx(theirs.low, abs=0.002)
    assert ours.high == pytest.approx(theirs.high, abs=0.002)


def test_the_interval_holds_the_truth_as_often_as_it_says():
    rng = np.random.default_rng(2)
    inside = 0
    for trial in range(300):
        found = estimate(rng.normal(5, 1, 50), range(50), confidence=0.9, seed=trial)
        inside += found.low < 5 < found.high
    assert 0.84 < inside / 300 < 0.95


def test_pictures_of_one_photo_are_drawn_together():
    photo_level = np.random.default_rng(3).normal(25, 3, 20)
    repeated = np.repeat(photo_level, 10)
    photos = np.repeat(np.arange(20), 10)
    together = estimate(repeated, photos)
    alone = estimate(photo_level, range(20))
    assert together.high - together.low == pytest.approx(alone.high - alone.low)
    as_if_independent = estimate(repeated, range(200))
    assert together.high - together.low > 2 * (as_if_independent.high - as_if_independent.low)


def test_a_small_steady_difference_shows_although_photos_differ():
    rng = np.random.default_rng(4)
    worse = rng.normal(25, 4, 50)
    better = worse + 0.1 + rng.normal(0, 0.05, 50)
    found = paired_difference(better, worse, range(50))
    assert 0 < found.low < found.value < found.high < 0.2
    apart = estimate(worse, range(50))
    assert apart.low < better.mean() < apart.high  # not visible without pairing


def test_nothing_and_one_photo_have_no_interval():
    assert math.isnan(estimate([], []).value)
    one = estimate([3.0, 5.0], ["a", "a"])
    assert one.value == 4
    assert math.isnan(one.low)
    assert math.isnan(one.high)
    flat = estimate([0.0, 0.0], ["a", "b"], over=[0.0, 0.0])
    assert math.isnan(flat.value)


def test_the_same_seed_gives_the_same_interval():
    values = np.random.default_rng(5).normal(size=30)
    assert estimate(values, range(30), seed=1) == estimate(values, range(30), seed=1)
    assert estimate(values, range(30), seed=1) != estimate(values, range(30), seed=2)


def test_the_interval_of_a_median_agrees_with_scipy():
    values = np.random.default_rng(5).gamma(2, 1, 801)
    ours = estimate(values, range(801), median=True)
    theirs = stats.bootstrap(
        (values,), np.median, method="percentile", n_resamples=9999
    ).confidence_interval
    assert ours.value == np.median(values)
    assert ours.low == pytest.approx(theirs.low, abs=0.1)
    assert ours.high == pytest.approx(theirs.high, abs=0.1)


def test_a_median_of_drawn_groups_is_numpys():
    rng = np.random.default_rng(6)
    values, photos = rng.normal(size=24), np.repeat(np.arange(8), 3)
    counts = rng.multinomial(8, np.full(8, 1 / 8), 50).astype(float)
    ours = _medians(values, counts[:, photos])
    repeated = [np.repeat(values, row[photos].astype(int)) for row in counts]
    np.testing.assert_allclose(ours, [np.median(one) for one in repeated])


def test_one_wild_picture_moves_a_mean_and_no_median():
    values = np.append(np.linspace(0.9, 1.1, 20), 1e6)
    assert estimate(values, range(21), median=True).high < 1.2
    change = paired_difference(values, values - 0.5, range(21), median=True)
    assert change.value == pytest.approx(0.5)
