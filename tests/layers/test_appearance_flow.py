"""Gaussian sampling along a flow, against loops over pixels and taps."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from regionwise.layers.appearance_flow import gaussian_sample


def literal(x, flow, taps, sigma):
    _, height, width = x.shape
    answer = torch.zeros_like(x)
    for i in range(height):
        for j in range(width):
            px, py = j + float(flow[0, i, j]), i + float(flow[1, i, j])
            total = 0.0
            for a in range(-taps // 2 + 1, taps // 2 + 1):
                for b in range(-taps // 2 + 1, taps // 2 + 1):
                    row, column = math.floor(py) + a, math.floor(px) + b
                    distance = (row - py) ** 2 + (column - px) ** 2
                    weight = math.exp(-distance / (2 * sigma**2))
                    total += weight
                    row, column = min(max(row, 0), height - 1), min(max(column, 0), width - 1)
                    answer[:, i, j] += weight * x[:, row, column]
            answer[:, i, j] /= total
    return answer


@settings(max_examples=6, deadline=None)
@given(
    height=st.integers(1, 5),
    width=st.integers(1, 5),
    taps=st.sampled_from([2, 4, 8]),
    seed=st.integers(0, 99),
)
def test_equals_the_literal_one(height, width, taps, seed):
    torch.manual_seed(seed)
    x = torch.randn(2, 3, height, width, dtype=torch.float64)
    flow = torch.randn(2, 2, height, width, dtype=torch.float64) * 5
    ours = gaussian_sample(x, flow, taps, 1.5)
    for n in range(2):
        torch.testing.assert_close(ours[n], literal(x[n], flow[n], taps, 1.5))


def test_no_flow_and_a_narrow_gaussian_change_nothing():
    x = torch.rand(1, 2, 5, 4)
    torch.testing.assert_close(gaussian_sample(x, torch.zeros(1, 2, 5, 4), 2, 0.1), x)


def test_gradients():
    torch.manual_seed(0)
    x = torch.randn(1, 2, 3, 4, dtype=torch.float64, requires_grad=True)
    flow = (torch.rand(1, 2, 3, 4, dtype=torch.float64) * 0.8 + 0.1).requires_grad_()
    assert torch.autograd.gradcheck(lambda x, f: gaussian_sample(x, f, 4, 1.0), (x, flow))


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_stays_finite(dtype):
    x, flow = torch.randn(1, 2, 6, 6).to(dtype), (torch.randn(1, 2, 6, 6) * 9).to(dtype)
    assert gaussian_sample(x, flow, 16, 4.0).isfinite().all()
