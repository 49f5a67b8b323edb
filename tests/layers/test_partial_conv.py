"""Partial convolution against the equations of Liu et al. 2018, as loops."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from regionwise.layers.partial_conv import PartialConv


def literal(x, mask, weight, bias, stride):
    """Equations (1) and (2), window by window; what lies outside the picture is missing."""
    kernel = weight.shape[-1]
    pad = [kernel // 2] * 4
    x, missing = torch.nn.functional.pad(x, pad), torch.nn.functional.pad(mask, pad, value=1)
    rows, columns = ((s - kernel) // stride + 1 for s in x.shape[-2:])
    answer = torch.zeros(x.shape[0], weight.shape[0], rows, columns, dtype=x.dtype)
    updated = torch.ones(x.shape[0], 1, rows, columns, dtype=x.dtype)
    for n in range(x.shape[0]):
        for i in range(rows):
            for j in range(columns):
                top, left = i * stride, j * stride
                places = [(a, b) for a in range(kernel) for b in range(kernel)]
                known = [(a, b) for a, b in places if missing[n, 0, top + a, left + b] == 0]
                if not known:
                    continue
                total = sum(weight[:, :, a, b] @ x[n, :, top + a, left + b] for a, b in known)
                answer[n, :, i, j] = total * kernel**2 / len(known) + bias
                updated[n, 0, i, j] = 0
    return answer, updated


@settings(max_examples=30, deadline=None)
@given(
    batch=st.integers(1, 2),
    height=st.integers(1, 8),
    width=st.integers(1, 8),
    kernel=st.sampled_from([1, 3, 5]),
    stride=st.integers(1, 2),
    share=st.sampled_from([0.0, 0.5, 0.95, 1.0]),
    seed=st.integers(0, 1000),
)
def test_equals_the_equations(batch, height, width, kernel, stride, share, seed):
    torch.manual_seed(seed)
    layer = PartialConv(2, 3, kernel, stride=stride).double()
    torch.nn.init.normal_(layer.bias)
    x = torch.randn(batch, 2, height, width, dtype=torch.float64)
    mask = (torch.rand(batch, 1, height, width) < share).double()
    y, updated = layer(x, mask)
    wanted, wanted_mask = literal(x, mask, layer.conv.weight.detach(), layer.bias.detach(), stride)
    torch.testing.assert_close(y, wanted, atol=1e-12, rtol=1e-12)
    assert torch.equal(updated, wanted_mask)


def test_the_hole_is_not_looked_into():
    layer, mask = PartialConv(1, 1, 3), torch.zeros(1, 1, 6, 6)
    mask[..., 2:4, 2:4] = 1
    x = torch.rand(1, 1, 6, 6)
    other = x.masked_fill(mask > 0, torch.nan)
    assert torch.equal(layer(x, mask)[0], layer(other, mask)[0])


def test_gradients():
    torch.manual_seed(0)
    layer = PartialConv(2, 3, 3, stride=2).double()
    mask = (torch.rand(1, 1, 6, 5) < 0.6).double()
    x = torch.randn(1, 2, 6, 5, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x: layer(x, mask)[0], (x,))


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_counts_a_window_exactly(dtype):
    layer = PartialConv(1, 1, 7).to(dtype)
    torch.nn.init.constant_(layer.conv.weight, 1 / 49)
    y, _ = layer(torch.ones(1, 1, 9, 9, dtype=dtype), torch.zeros(1, 1, 9, 9, dtype=dtype))
    torch.testing.assert_close(y.float(), torch.ones(1, 1, 9, 9), atol=0.02, rtol=0)


def test_features_with_holes_of_their_own():
    """As if each channel had a mask: sum(1)/sum(known) over channels and window (eq. 1)."""
    torch.manual_seed(0)
    layer = PartialConv(5, 2, 3, bias=False, shares=(2, 3)).double()
    x = torch.randn(2, 5, 6, 7, dtype=torch.float64)
    mask = (torch.rand(2, 2, 6, 7) < 0.8).double()
    y, updated = layer(x, mask)
    known = torch.nn.functional.pad(1 - mask[:, [0, 0, 1, 1, 1]], (1, 1, 1, 1))
    padded = torch.nn.functional.pad(x, (1, 1, 1, 1)) * known
    for n in range(2):
        for i in range(6):
            for j in range(7):
                some = known[n, :, i : i + 3, j : j + 3]
                wanted = torch.zeros(2, dtype=torch.float64)
                if some.sum() > 0:
                    window = padded[n, :, i : i + 3, j : j + 3]
                    wanted = (layer.conv.weight * window).sum(dim=(1, 2, 3)) * 45 / some.sum()
                torch.testing.assert_close(y[n, :, i, j], wanted)
                assert updated[n, 0, i, j] == (some.sum() == 0)
