"""Learnable attention maps against their equations."""

import math

import pytest
import torch

from regionwise.layers.attention_map import AsymmetricGaussian, AttendedConv, AttentionMap


def literal(x, a, mu, left, right):
    if x < mu:
        return a * math.exp(-left * (x - mu) ** 2)
    return 1 + (a - 1) * math.exp(-right * (x - mu) ** 2)


@pytest.mark.parametrize(
    ("given", "kept"),
    [((1.5, 1.0, 0.7, 1.3), (1.5, 1.0, 0.7, 1.3)), ((0.0, 9.0, 0.1, 5.0), (1.01, 3.0, 0.5, 2.0))],
)
def test_gaussian(given, kept):
    activation = AsymmetricGaussian().double()
    with torch.no_grad():
        for number, value in zip(activation.parameters(), given, strict=True):
            number.fill_(value)
    x = torch.linspace(-3, 5, 41, dtype=torch.float64)
    wanted = torch.tensor([literal(float(v), *kept) for v in x], dtype=torch.float64)
    torch.testing.assert_close(activation(x), wanted)


def test_map_updates_its_mask():
    torch.manual_seed(0)
    step = AttentionMap(1, 2, AsymmetricGaussian()).double()
    mask = torch.rand(1, 1, 6, 6, dtype=torch.float64)
    with torch.no_grad():
        weights, updated = step(mask)
    padded = torch.nn.functional.pad(mask, (1, 1, 1, 1))
    for c in range(2):
        for i in range(3):
            for j in range(3):
                window = padded[0, :, 2 * i : 2 * i + 4, 2 * j : 2 * j + 4]
                x = float((step.conv.weight[c].detach() * window).sum())
                assert float(weights[0, c, i, j]) == pytest.approx(literal(x, 1.1, 2.0, 1.0, 1.0))
                assert float(updated[0, c, i, j]) == pytest.approx(max(x, 0) ** 0.8)


def test_features_are_weighed_after_the_convolution():
    torch.manual_seed(0)
    layer = AttendedConv(2, 3, 1)
    x, mask = torch.randn(1, 2, 8, 8), torch.rand(1, 1, 8, 8)
    raw, weighed, weights, _ = layer(x, mask)
    torch.testing.assert_close(raw, layer.conv(x))
    torch.testing.assert_close(weighed, torch.nn.functional.leaky_relu(raw * weights, 0.2))


def test_gradients():
    torch.manual_seed(0)
    layer = AttendedConv(1, 2, 1).double()
    x, mask = (torch.randn(1, 1, 4, 4, dtype=torch.float64, requires_grad=True) for _ in range(2))
    assert torch.autograd.gradcheck(layer, (x, mask))
    _, _, _, updated = layer(x, torch.zeros_like(mask).requires_grad_())
    updated.sum().backward()
    assert layer.map.conv.weight.grad.isfinite().all()


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_stays_finite(dtype):
    layer = AttendedConv(1, 2, 1).to(dtype)
    outputs = layer(torch.randn(1, 1, 8, 8).to(dtype), torch.ones(1, 1, 8, 8, dtype=dtype))
    assert all(output.isfinite().all() for output in outputs)
