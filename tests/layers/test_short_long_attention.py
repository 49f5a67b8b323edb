"""Short+long term attention against its equations."""

import pytest
import torch

from regionwise.layers.short_long_attention import ShortLongAttention


def test_equals_the_equations():
    torch.manual_seed(0)
    layer = ShortLongAttention(4).double()
    with torch.no_grad():
        layer.gamma.fill_(0.7)
        layer.alpha.fill_(1.3)
    x, f = (torch.randn(2, 4, 3, 5, dtype=torch.float64) for _ in range(2))
    known = torch.rand(2, 1, 3, 5, dtype=torch.float64)
    short, long = layer(x, f, known)
    for n in range(2):
        weight, bias = layer.query.weight[:, :, 0, 0], layer.query.bias
        places = [(i, j) for i in range(3) for j in range(5)]
        queries = [weight @ x[n, :, i, j] + bias for i, j in places]
        for query, (i, j) in zip(queries, places, strict=True):
            share = torch.stack([(query * key).sum() for key in queries]).softmax(dim=0)
            of_x = sum(s * x[n, :, a, b] for s, (a, b) in zip(share, places, strict=True))
            of_f = sum(s * f[n, :, a, b] for s, (a, b) in zip(share, places, strict=True))
            k = known[n, 0, i, j]
            torch.testing.assert_close(short[n, :, i, j], 0.7 * of_x + x[n, :, i, j])
            torch.testing.assert_close(long[n, :, i, j], 1.3 * (1 - k) * of_f + k * f[n, :, i, j])


def test_a_new_layer_passes_on():
    x, f = torch.randn(1, 4, 3, 3), torch.randn(1, 4, 3, 3)
    short, long = ShortLongAttention(4)(x, f, torch.ones(1, 1, 3, 3))
    assert torch.equal(short, x)
    assert torch.equal(long, f)


def test_gradients():
    torch.manual_seed(0)
    layer = ShortLongAttention(4).double()
    torch.nn.init.ones_(layer.gamma)
    torch.nn.init.ones_(layer.alpha)
    x, f = (torch.randn(1, 4, 2, 2, dtype=torch.float64, requires_grad=True) for _ in range(2))
    known = torch.rand(1, 1, 2, 2, dtype=torch.float64)
    assert torch.autograd.gradcheck(lambda x, f: layer(x, f, known), (x, f))


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_stays_finite(dtype):
    x = (torch.randn(1, 4, 4, 4) * 20).to(dtype)
    short, long = ShortLongAttention(4).to(dtype)(x, x, torch.zeros(1, 1, 4, 4, dtype=dtype))
    assert short.isfinite().all()
    assert long.isfinite().all()
