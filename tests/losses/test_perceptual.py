"""Perceptual and style losses equal sums written from the equations."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from regionwise.losses.perceptual import gram, perceptual, style

DISTANCES = ["mean_absolute", "mean_squared", "sum_absolute"]


def features(batch, sizes, seed, dtype=torch.float64):
    rng = torch.Generator().manual_seed(seed)
    return [torch.randn(batch, *size, generator=rng, dtype=dtype) for size in sizes]


def looped_perceptual(answer, truth, weights):
    """MADF's eq. (4), one value after the other."""
    total = 0.0
    for a, t, weight in zip(answer, truth, weights, strict=True):
        differences = [abs(x - y) for x, y in zip(a.flatten(), t.flatten(), strict=True)]
        total += weight * float(sum(differences)) / len(differences)
    return total


def looped_style(answer, truth, weights, distance):
    """MADF's eq. (5), a pair of channels after the other."""
    total = 0.0
    for a, t, weight in zip(answer, truth, weights, strict=True):
        batch, channels, height, width = a.shape
        for n in range(batch):
            for c in range(channels):
                for d in range(channels):
                    pair = (a[n, c] * a[n, d]).sum() - (t[n, c] * t[n, d]).sum()
                    pair = abs(pair.item()) / (channels * height * width)
                    if distance == "mean_squared":
                        pair = pair**2
                    if distance != "sum_absolute":
                        pair /= channels**2
                    total += weight * pair / batch
    return total


SIZES = st.lists(
    st.tuples(st.integers(1, 4), st.integers(1, 4), st.integers(1, 4)), min_size=1, max_size=3
)


@settings(max_examples=30, deadline=None)
@given(batch=st.integers(1, 3), sizes=SIZES, seed=st.integers(0, 99), given_weights=st.booleans())
def test_perceptual_equals_a_loop(batch, sizes, seed, given_weights):
    answer, truth = features(batch, sizes, seed), features(batch, sizes, seed + 100)
    weights = [0.5 + k for k in range(len(sizes))] if given_weights else None
    value = perceptual(answer, truth, weights)
    wanted = looped_perceptual(answer, truth, weights or [1] * len(sizes))
    assert value.item() == pytest.approx(wanted, rel=1e-12)


@settings(max_examples=30, deadline=None)
@given(
    batch=st.integers(1, 3),
    sizes=SIZES,
    seed=st.integers(0, 99),
    distance=st.sampled_from(DISTANCES),
    given_weights=st.booleans(),
)
def test_style_equals_a_loop(batch, sizes, seed, distance, given_weights):
    answer, truth = features(batch, sizes, seed), features(batch, sizes, seed + 100)
    weights = [0.5 + k for k in range(len(sizes))] if given_weights else None
    value = style(answer, truth, weights, distance=distance)
    wanted = looped_style(answer, truth, weights or [1] * len(sizes), distance)
    assert value.item() == pytest.approx(wanted, rel=1e-11)


@pytest.mark.parametrize("distance", DISTANCES)
def test_gradcheck(distance):
    answer, truth = (features(2, [(3, 4, 3), (2, 2, 5)], seed) for seed in (1, 2))
    for feature in answer:
        feature.requires_grad_()
    assert torch.autograd.gradcheck(lambda *a: style(a, truth, [2, 3], distance=distance), answer)
    assert torch.autograd.gradcheck(lambda *a: perceptual(a, truth, [2, 3]), answer)


def test_gram_does_not_overflow_half_precision():
    """Its sums reach 1e7 before the division: too much for float16, and too fine for bfloat16."""
    wide = 100 + features(1, [(4, 40, 40)], seed=3, dtype=torch.float32)[0]
    half = wide.half()
    for context in (False, True):
        with torch.autocast("cpu", torch.bfloat16, enabled=context):
            matrix = gram(half)
        assert matrix.dtype == torch.float32
        torch.testing.assert_close(matrix.double(), gram(half.double()), rtol=1e-5, atol=0)
        with torch.autocast("cpu", torch.bfloat16, enabled=context):
            torch.testing.assert_close(gram(wide), gram(wide.double()).float(), rtol=1e-5, atol=0)


def test_layers_that_do_not_match():
    one, two = features(1, [(2, 3, 3)], seed=1), features(1, [(2, 3, 3), (2, 3, 3)], seed=1)
    for loss in (perceptual, style):
        with pytest.raises(ValueError, match="zip"):
            loss(two, one)
        with pytest.raises(ValueError, match="zip"):
            loss(two, two, [1.0])
