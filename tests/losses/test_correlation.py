"""The correlation loss equals the one that holds n×n matrices, in value and gradient."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from regionwise.errors import ModelError
from regionwise.losses.correlation import correlation


def literal(answer, truth, sigma=None):
    """Equations (2) and (4), both matrices whole."""
    a, b = answer.flatten(2), truth.flatten(2)
    grams = a.transpose(1, 2) @ a - b.transpose(1, 2) @ b
    sigma = 1 / a.shape[1] ** 2 if sigma is None else sigma
    return sigma * grams.abs().sum() / a.shape[0]


def features(batch, channels, height, width, share, seed, dtype=torch.float64):
    """Truth, and an answer that differs from it at a share of the positions."""
    rng = torch.Generator().manual_seed(seed)
    truth = torch.randn(batch, channels, height, width, generator=rng, dtype=dtype)
    changed = torch.rand(batch, 1, height, width, generator=rng) < share
    other = torch.randn(batch, channels, height, width, generator=rng, dtype=dtype)
    return torch.where(changed, other, truth), truth


def value_and_gradient(loss, answer, truth, **options):
    answer = answer.clone().requires_grad_()
    value = loss(answer, truth, **options)
    (gradient,) = torch.autograd.grad(value, answer)
    return value.detach(), gradient


@settings(max_examples=60, deadline=None)
@given(
    batch=st.integers(1, 3),
    channels=st.integers(1, 6),
    height=st.integers(1, 7),
    width=st.integers(1, 7),
    share=st.sampled_from([0.0, 0.1, 0.5, 1.0]),
    tile=st.integers(1, 60),
    seed=st.integers(0, 1000),
)
def test_equals_the_matrices(batch, channels, height, width, share, tile, seed):
    answer, truth = features(batch, channels, height, width, share, seed)
    value, gradient = value_and_gradient(correlation, answer, truth, tile=tile)
    wanted, wanted_gradient = value_and_gradient(literal, answer, truth)
    torch.testing.assert_close(value, wanted, atol=1e-12, rtol=1e-12)
    torch.testing.assert_close(gradient, wanted_gradient, atol=1e-12, rtol=1e-12)


def test_gradcheck():
    answer, truth = features(2, 3, 3, 4, 0.5, seed=1)
    answer.requires_grad_()
    assert torch.autograd.gradcheck(lambda a: correlation(a, truth, tile=5), answer)


def test_the_weight_is_a_factor_and_released_by_default():
    answer, truth = features(1, 4, 5, 5, 0.5, seed=2)
    torch.testing.assert_close(correlation(answer, truth), correlation(answer, truth, sigma=1 / 16))
    value, gradient = value_and_gradient(correlation, answer, truth, sigma=3.0)
    wanted, wanted_gradient = value_and_gradient(literal, answer, truth, sigma=3.0)
    torch.testing.assert_close(value, wanted)
    torch.testing.assert_close(gradient, wanted_gradient)


def test_equal_features_cost_nothing():
    answer, _ = features(2, 3, 4, 4, 1.0, seed=3)
    value, gradient = value_and_gradient(correlation, answer, answer.clone())
    assert value == 0
    assert not gradient.any()


def test_float32_keeps_digits_where_answer_and_truth_are_near():
    """A difference of the products would lose them: they are 1e8 times as large."""
    answer, truth = features(1, 16, 12, 12, 1.0, seed=4)
    answer = truth * 100 + answer * 1e-4
    truth = (truth * 100).float().double()
    answer = answer.float().double()
    wanted = literal(answer, truth).item()
    ours, plain = (loss(answer.float(), truth.float()).item() for loss in (correlation, literal))
    assert ours == pytest.approx(wanted, rel=1e-5)
    assert abs(plain / wanted - 1) > 1e-3


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision(dtype):
    answer, truth = features(2, 8, 9, 9, 0.3, seed=5, dtype=torch.float32)
    answer, truth = answer.to(dtype), truth.to(dtype)
    with torch.autocast("cpu", torch.bfloat16):
        value, gradient = value_and_gradient(correlation, answer, truth)
    wanted, wanted_gradient = value_and_gradient(literal, answer.double(), truth.double())
    assert value.dtype == torch.float32
    assert value.item() == pytest.approx(wanted.item(), rel=1e-5)
    assert gradient.dtype == dtype
    torch.testing.assert_close(gradient.double(), wanted_gradient, atol=1e-2, rtol=1e-2)


def test_channels_last_features():
    answer, truth = features(2, 4, 6, 5, 0.5, seed=6)
    last = answer.to(memory_format=torch.channels_last)
    for one, other in zip(
        value_and_gradient(correlation, last, truth),
        value_and_gradient(correlation, answer, truth),
        strict=True,
    ):
        torch.testing.assert_close(one, other)


def test_the_truth_gets_no_gradient():
    answer, truth = features(1, 2, 3, 3, 1.0, seed=7)
    truth.requires_grad_()
    correlation(answer.requires_grad_(), truth).backward()
    assert truth.grad is None


def test_shapes_that_differ():
    with pytest.raises(ModelError, match=r"\(1, 2, 3, 3\) and \(1, 2, 3, 4\)"):
        correlation(torch.zeros(1, 2, 3, 3), torch.zeros(1, 2, 3, 4))


def test_never_holds_a_matrix_of_all_pairs():
    """Nor half of one: the largest tensor is a few maps of features."""
    answer, truth = features(1, 4, 40, 40, 1.0, seed=8, dtype=torch.float32)
    largest = 0

    class Sizes(torch.utils._python_dispatch.TorchDispatchMode):
        def __torch_dispatch__(self, function, types, args=(), kwargs=None):
            nonlocal largest
            result = function(*args, **(kwargs or {}))
            if isinstance(result, torch.Tensor):
                largest = max(largest, result.numel())
            return result

    with Sizes():
        value_and_gradient(correlation, answer, truth, tile=64)
    assert largest <= 2 * answer.numel()
