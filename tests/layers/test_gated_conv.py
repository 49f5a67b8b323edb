"""Gated convolution against its equation."""

import pytest
import torch

from regionwise.layers.gated_conv import GatedConv


@pytest.mark.parametrize(("kernel", "stride"), [(1, 1), (3, 1), (5, 2), (7, 3)])
def test_equals_features_times_gates(kernel, stride):
    torch.manual_seed(0)
    layer = GatedConv(2, 3, kernel, stride=stride).double()
    x = torch.randn(2, 2, 9, 7, dtype=torch.float64)
    feature_weight, gate_weight = layer.conv.weight[:3], layer.conv.weight[3:]
    feature_bias, gate_bias = layer.conv.bias[:3], layer.conv.bias[3:]
    padding = kernel // 2
    features = torch.nn.functional.conv2d(x, feature_weight, feature_bias, stride, padding)
    gates = torch.nn.functional.conv2d(x, gate_weight, gate_bias, stride, padding)
    wanted = torch.where(features > 0, features, features.exp() - 1) / (1 + (-gates).exp())
    torch.testing.assert_close(layer(x), wanted)


def test_a_closed_gate_lets_nothing_pass():
    layer = GatedConv(1, 2, 3, activation=torch.tanh)
    with torch.no_grad():
        layer.conv.bias[2:] = -1000
    assert layer(torch.rand(1, 1, 5, 5)).abs().max() == 0


def test_gradients():
    torch.manual_seed(0)
    layer = GatedConv(2, 2, 3, stride=2).double()
    x = torch.randn(1, 2, 5, 4, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(layer, (x,))


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_stays_finite(dtype):
    x = (torch.randn(1, 2, 8, 8) * 100).to(dtype)
    assert GatedConv(2, 4, 3).to(dtype)(x).isfinite().all()
