"""Self-attention against its definition, written as loops."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from regionwise.layers.self_attention import SelfAttention


def random_block(channels, inner=None):
    block = SelfAttention(channels, inner).double()
    for weight in block.parameters():
        torch.nn.init.normal_(weight, std=0.5)
    return block


def literal(block, x):
    """Each position: the softmax over all positions of its products, weighting their values."""
    batch, _, height, width = x.shape
    places = [(i, j) for i in range(height) for j in range(width)]
    weights = [w[:, :, 0, 0] for w in block.embedding.weight.chunk(3)]
    biases = block.embedding.bias.chunk(3)
    answer = x.clone()
    for n in range(batch):
        theta, phi, g = (
            {place: w @ x[(n, slice(None), *place)] + b for place in places}
            for w, b in zip(weights, biases, strict=True)
        )
        for place in places:
            products = [math.exp(float(theta[place] @ phi[other])) for other in places]
            y = sum(p * g[other] for p, other in zip(products, places, strict=True))
            y = block.output.weight[:, :, 0, 0] @ (y / sum(products)) + block.output.bias
            answer[(n, slice(None), *place)] += y
    return answer


@settings(max_examples=30, deadline=None)
@given(
    batch=st.integers(1, 3),
    channels=st.integers(1, 6),
    inner=st.sampled_from([None, 1, 5]),
    height=st.integers(1, 6),
    width=st.integers(1, 6),
    channels_last=st.booleans(),
    seed=st.integers(0, 1000),
)
@torch.no_grad()
def test_equals_the_definition(batch, channels, inner, height, width, channels_last, seed):
    torch.manual_seed(seed)
    block = random_block(channels, inner)
    x = torch.randn(batch, channels, height, width, dtype=torch.float64)
    layout = torch.channels_last if channels_last else torch.contiguous_format
    ours = block(x.contiguous(memory_format=layout))
    torch.testing.assert_close(ours, literal(block, x), atol=1e-10, rtol=1e-10)


def test_a_new_block_changes_nothing_but_learns():
    block = SelfAttention(6)
    x = torch.randn(1, 6, 5, 5)
    y = block(x)
    assert torch.equal(y, x)
    y.square().mean().backward()
    assert block.output.weight.grad.abs().max() > 0


def test_gradients():
    torch.manual_seed(0)
    block = random_block(4)
    x = torch.randn(2, 4, 3, 3, dtype=torch.float64, requires_grad=True)
    weights = dict(block.named_parameters())

    def function(x, *values):
        return torch.func.functional_call(block, dict(zip(weights, values, strict=True)), x)

    assert torch.autograd.gradcheck(function, (x, *weights.values()))


@pytest.mark.parametrize("channels_last", [False, True])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_the_matrix_of_positions_is_never_held(channels_last, dtype):
    """Whatever the layout, the fused kernel is taken, forward and backward.

    It is asked for by name because the choice falls back in silence, at ninety times the memory.
    """
    block = SelfAttention(16).to(dtype)
    x = torch.randn(1, 16, 20, 24, dtype=dtype, requires_grad=True)
    layout = torch.channels_last if channels_last else torch.contiguous_format
    with torch.profiler.profile(record_shapes=True) as profile:
        block(x.contiguous(memory_format=layout)).sum().backward()
    names = {event.name for event in profile.events()}
    assert "aten::_scaled_dot_product_flash_attention_for_cpu" in names
    positions = 20 * 24
    sizes = [math.prod(s) for event in profile.events() for s in event.input_shapes or []]
    assert 0 < max(sizes) < positions**2


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
@pytest.mark.parametrize("scale", [1, 30])
def test_half_precision_stays_finite(dtype, scale):
    """Unscaled products grow into the hundreds."""
    torch.manual_seed(0)
    block = random_block(32).to(dtype)
    x = (scale * torch.randn(2, 32, 9, 7)).to(dtype).requires_grad_()
    y = block(x)
    y.float().mean().backward()
    assert y.dtype == dtype
    assert y.isfinite().all()
    assert x.grad.isfinite().all()
