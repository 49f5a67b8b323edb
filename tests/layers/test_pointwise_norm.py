"""Point-wise normalisation against equation (1), with two convolutions and plain statistics."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from regionwise.layers.pointwise_norm import PointwiseNorm


def built(seed=0):
    torch.manual_seed(seed)
    layer = PointwiseNorm(3, 4, hidden=5).double()
    torch.nn.init.normal_(layer.norm.running_mean)
    torch.nn.init.uniform_(layer.norm.running_var, 0.5, 2)
    return layer


def literal(layer, x, condition, mean, variance):
    """α and β by convolutions of their own, each point by itself."""
    hidden = torch.nn.functional.conv2d(
        condition, layer.shared.weight, layer.shared.bias, padding=1
    ).clamp(min=0)
    weight, bias = layer.affine.weight, layer.affine.bias
    alpha = 1 + torch.nn.functional.conv2d(hidden, weight[:3], bias[:3], padding=1)
    beta = torch.nn.functional.conv2d(hidden, weight[3:], bias[3:], padding=1)
    answer = torch.zeros_like(x)
    for n, c, i, j in torch.cartesian_prod(*map(torch.arange, x.shape)).tolist():
        normal = (x[n, c, i, j] - mean[c]) / (variance[c] + 1e-5).sqrt()
        answer[n, c, i, j] = alpha[n, c, i, j] * normal + beta[n, c, i, j]
    return answer


@settings(max_examples=15, deadline=None)
@given(
    batch=st.integers(1, 3),
    height=st.integers(2, 6),
    width=st.integers(1, 6),
    training=st.booleans(),
    seed=st.integers(0, 1000),
)
def test_equals_equation_1(batch, height, width, training, seed):
    layer = built(seed).train(training)
    x = torch.randn(batch, 3, height, width, dtype=torch.float64) * 2 + 3
    condition = torch.randn(batch, 4, height, width, dtype=torch.float64)
    mean, variance = layer.norm.running_mean.clone(), layer.norm.running_var.clone()
    if training:
        mean = x.mean(dim=(0, 2, 3))
        variance = (x - mean.view(1, 3, 1, 1)).square().mean(dim=(0, 2, 3))
    with torch.no_grad():
        wanted = literal(layer, x, condition, mean, variance)
        torch.testing.assert_close(layer(x, condition), wanted)


def test_without_a_condition_it_is_batch_normalisation():
    layer = built().train()
    torch.nn.init.zeros_(layer.affine.weight)
    torch.nn.init.zeros_(layer.affine.bias)
    x = torch.randn(2, 3, 5, 4, dtype=torch.float64)
    wanted = torch.nn.functional.batch_norm(x, None, None, training=True)
    torch.testing.assert_close(layer(x, torch.randn(2, 4, 5, 4, dtype=torch.float64)), wanted)


def test_gradients():
    layer = built().train()
    x = torch.randn(2, 3, 3, 2, dtype=torch.float64, requires_grad=True)
    condition = torch.randn(2, 4, 3, 2, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(layer, (x, condition))


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_stays_finite(dtype):
    layer = built().eval().to(dtype)
    x, condition = (torch.randn(1, c, 8, 8) * 50 for c in (3, 4))
    assert layer(x.to(dtype), condition.to(dtype)).isfinite().all()
