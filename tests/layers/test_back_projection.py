"""Back projection against its definition, written as loops."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from regionwise.layers.back_projection import BackProjection, back_project


def literal_resized(x, height, width):
    """Bilinear with the corners aligned: output corner pixels lie on input corner pixels."""
    y = x.new_zeros(*x.shape[:2], height, width)
    for i in range(height):
        for j in range(width):
            row = i * (x.shape[2] - 1) / (height - 1) if height > 1 else 0.0
            column = j * (x.shape[3] - 1) / (width - 1) if width > 1 else 0.0
            for r in {math.floor(row), math.ceil(row)}:
                for c in {math.floor(column), math.ceil(column)}:
                    share = (1 - abs(row - r)) * (1 - abs(column - c))
                    y[:, :, i, j] += share * x[:, :, r, c]
    return y


sides = st.integers(1, 9)


@settings(max_examples=40, deadline=None)
@given(batch=st.integers(1, 2), height=sides, width=sides, low_height=sides, low_width=sides)
def test_equals_the_definition(batch, height, width, low_height, low_width):
    torch.manual_seed(0)
    picture = torch.randn(batch, 3, height, width, dtype=torch.float64)
    low = torch.randn(batch, 3, low_height, low_width, dtype=torch.float64)
    weight = torch.rand(batch, 1, height, width, dtype=torch.float64)
    residual = low - literal_resized(picture, low_height, low_width)
    wanted = picture + literal_resized(residual, height, width) * weight
    ours = back_project(picture, low, weight)
    torch.testing.assert_close(ours, wanted, atol=1e-12, rtol=1e-12)


def test_whole_weight_brings_the_corners_to_the_low_resolution():
    picture, low = torch.rand(1, 3, 16, 12), torch.rand(1, 3, 4, 3)
    answer = back_project(picture, low, torch.ones(1, 1, 16, 12))
    corners = (..., slice(None, None, 15), slice(None, None, 11))
    torch.testing.assert_close(answer[corners], low[..., ::3, ::2])


def test_the_weight_is_a_sigmoid_of_the_features():
    layer = BackProjection(5)
    picture, low = torch.rand(1, 3, 8, 8), torch.rand(1, 3, 2, 2)
    with torch.no_grad():
        layer.weight.weight.zero_()
        layer.weight.bias.fill_(math.log(3))
    ours = layer(picture, low, torch.randn(1, 5, 8, 8))
    torch.testing.assert_close(ours, back_project(picture, low, torch.full((1, 1, 8, 8), 0.75)))


def test_gradients():
    torch.manual_seed(0)
    layer = BackProjection(2).double()
    shapes = ((1, 3, 6, 5), (1, 3, 2, 2), (1, 2, 6, 5))
    inputs = [torch.randn(*shape, dtype=torch.float64, requires_grad=True) for shape in shapes]
    assert torch.autograd.gradcheck(layer, inputs)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_is_near_single(dtype):
    torch.manual_seed(0)
    layer = BackProjection(4)
    shapes = ((1, 3, 16, 16), (1, 3, 4, 4), (1, 4, 16, 16))
    inputs = [torch.rand(*shape).to(dtype) for shape in shapes]
    with torch.no_grad():
        wanted = layer(*(x.float() for x in inputs))
        low = layer.to(dtype)(*inputs)
    assert low.dtype == dtype
    assert (low.float() - wanted).abs().max() < 0.03
