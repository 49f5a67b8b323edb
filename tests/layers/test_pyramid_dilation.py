"""Spatial pyramid dilation against its definition, written as loops."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from regionwise.errors import ModelError
from regionwise.layers.pyramid_dilation import EIGHT_RATES, FOUR_RATES, PyramidDilationBlock


def literal_convolution(x, weight, bias, rate):
    """3×3, dilated, stride 1; a tap outside the map takes the nearest pixel inside."""
    batch, _, height, width = x.shape
    y = torch.zeros(batch, len(weight), height, width, dtype=x.dtype)
    for i in range(height):
        for j in range(width):
            y[:, :, i, j] = bias
            for di in (-1, 0, 1):
                for dj in (-1, 0, 1):
                    row = min(max(i + rate * di, 0), height - 1)
                    column = min(max(j + rate * dj, 0), width - 1)
                    y[:, :, i, j] += x[:, :, row, column] @ weight[:, :, di + 1, dj + 1].T
    return y


def literal_block(block, x, rates):
    """Figure 3 of the paper: branches with ReLU, concatenated, fused without activation, added."""
    branches = [
        literal_convolution(x, branch.weight, branch.bias, rate).clamp(min=0)
        for branch, rate in zip(block.branches, rates, strict=True)
    ]
    fusion = block.fusion
    return x + literal_convolution(torch.cat(branches, dim=1), fusion.weight, fusion.bias, 1)


@settings(max_examples=30, deadline=None)
@given(
    batch=st.integers(1, 2),
    height=st.integers(1, 7),
    width=st.integers(1, 7),
    rates=st.sampled_from([(1,), (2,), FOUR_RATES, EIGHT_RATES, (7, 3, 3)]),
    channels=st.integers(8, 11),
    channels_last=st.booleans(),
    seed=st.integers(0, 1000),
)
@torch.no_grad()
def test_equals_the_definition(batch, height, width, rates, channels, channels_last, seed):
    torch.manual_seed(seed)
    block = PyramidDilationBlock(channels, rates).double()
    for weight in block.parameters():
        torch.nn.init.normal_(weight)
    x = torch.randn(batch, channels, height, width, dtype=torch.float64)
    before = x.clone()
    layout = torch.channels_last if channels_last else torch.contiguous_format
    ours = block(x.contiguous(memory_format=layout))
    torch.testing.assert_close(ours, literal_block(block, x, rates), atol=1e-10, rtol=1e-10)
    assert torch.equal(x, before)


@pytest.mark.parametrize("rates", [(1,), (2,), FOUR_RATES, EIGHT_RATES, (3, 1, 4)])
def test_the_number_of_parameters_does_not_depend_on_the_rates(rates):
    block = PyramidDilationBlock(64, rates)
    assert sum(p.numel() for p in block.parameters()) == 2 * (64 * 64 * 9 + 64)


def test_channels_that_do_not_divide_are_shared_out():
    shares = [branch.out_channels for branch in PyramidDilationBlock(11, FOUR_RATES).branches]
    assert shares == [3, 3, 3, 2]


def test_gradients():
    torch.manual_seed(0)
    block = PyramidDilationBlock(5, (1, 3)).double()
    x = torch.randn(2, 5, 4, 3, dtype=torch.float64, requires_grad=True)
    weights = dict(block.named_parameters())

    def function(x, *values):
        return torch.func.functional_call(block, dict(zip(weights, values, strict=True)), x)

    assert torch.autograd.gradcheck(function, (x, *weights.values()))


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_is_near_single(dtype):
    torch.manual_seed(0)
    block = PyramidDilationBlock(16, FOUR_RATES).to(dtype)
    x = torch.randn(1, 16, 12, 9).to(dtype)
    low = block(x)
    assert low.dtype == dtype
    assert (low.float() - block.float()(x.float())).abs().max() < 0.1


@pytest.mark.parametrize("rates", [(), (0,), (2, -1), (1,) * 9])
def test_bad_rates(rates):
    with pytest.raises(ModelError, match=r"dilation rates .* do not fit 8 channels: give 1 to 8"):
        PyramidDilationBlock(8, rates)
