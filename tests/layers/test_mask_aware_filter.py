"""Mask-aware dynamic filtering against section III-B: a filter made for each window, as loops."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from regionwise.layers.mask_aware_filter import MaskAwareFilter, filter_by_features


def literal(x, features, weight, stride, padding):
    """Make each window's filter from its features and apply it, number by number of windows."""
    batch, count, rows, columns = features.shape
    kernel = weight.shape[-1]
    bases = weight.view(count + 1, -1, *weight.shape[1:])
    answer = torch.zeros(batch, bases.shape[1], rows, columns, dtype=x.dtype)
    padded = torch.nn.functional.pad(x, [padding] * 4)
    for n in range(batch):
        for i in range(rows):
            for j in range(columns):
                theta = bases[count].clone()
                for number in range(count):
                    theta += features[n, number, i, j] * bases[number]
                top, left = i * stride, j * stride
                window = padded[n, :, top : top + kernel, left : left + kernel]
                answer[n, :, i, j] = (theta * window).sum(dim=(1, 2, 3))
    return answer


def layer_of(seed=0, dtype=torch.float64, **options):
    torch.manual_seed(seed)
    given_options = {"mask_channels": 2, "mask_features": 3, "stride": 2} | options
    return MaskAwareFilter(3, 4, 3, **given_options).to(dtype)


@settings(max_examples=30, deadline=None)
@given(
    batch=st.integers(1, 3),
    height=st.integers(1, 9),
    width=st.integers(1, 9),
    kernel=st.sampled_from([1, 3, 5, 7]),
    stride=st.integers(1, 3),
    features=st.integers(1, 4),
    out=st.integers(1, 4),
    seed=st.integers(0, 1000),
)
def test_equals_a_filter_for_every_window(
    batch, height, width, kernel, stride, features, out, seed
):
    torch.manual_seed(seed)
    x = torch.randn(batch, 3, height, width, dtype=torch.float64)
    mask = torch.randn(batch, 2, height, width, dtype=torch.float64)
    layer = MaskAwareFilter(
        3, out, kernel, mask_channels=2, mask_features=features, stride=stride
    ).double()
    y, found = layer(x, mask)
    assert y.shape == (batch, out, -(-height // stride), -(-width // stride))
    assert found.shape == (batch, features, *y.shape[2:])
    assert found.min() >= 0
    wanted = literal(x, found, layer.weight.detach(), stride, kernel // 2)
    torch.testing.assert_close(y, wanted, atol=1e-12, rtol=1e-12)


def test_the_compilers_path_gives_the_same(monkeypatch):
    layer = layer_of()
    x, mask = (torch.randn(2, c, 7, 5, dtype=torch.float64) for c in (3, 2))
    wanted, _ = layer(x, mask)
    monkeypatch.setattr(torch.compiler, "is_compiling", lambda: True)
    torch.testing.assert_close(layer(x, mask)[0], wanted)


def test_mask_features_are_a_rectified_convolution_of_the_mask():
    layer, mask = layer_of(), torch.randn(1, 2, 6, 6, dtype=torch.float64)
    wanted = torch.nn.functional.conv2d(
        mask, layer.mask_conv.weight, layer.mask_conv.bias, stride=2, padding=1
    )
    _, features = layer(torch.zeros(1, 3, 6, 6, dtype=torch.float64), mask)
    torch.testing.assert_close(features, wanted.clamp(min=0))


def test_filters_are_those_that_are_applied():
    layer = layer_of()
    x, mask = (torch.randn(1, c, 3, 3, dtype=torch.float64) for c in (3, 2))
    y, features = layer(x, mask)
    theta = layer.filters(features[0, :, 1, 1][None])
    assert theta.shape == (1, 4, 3, 3, 3)
    window = torch.nn.functional.pad(x, [1] * 4)[0, :, 2:5, 2:5]
    torch.testing.assert_close((theta[0] * window).sum(dim=(1, 2, 3)), y[0, :, 1, 1])


def test_gradients():
    torch.manual_seed(0)
    shapes = ((2, 2, 5, 4), (2, 3, 3, 2), (12, 2, 3, 3))
    inputs = [torch.randn(*shape, dtype=torch.float64, requires_grad=True) for shape in shapes]

    def function(x, features, weight):
        return filter_by_features(x, features, weight, stride=2, padding=1)

    assert torch.autograd.gradcheck(function, inputs)


def test_gradients_reach_the_mask_convolution():
    layer = layer_of()
    x, mask = (torch.randn(1, c, 4, 4, dtype=torch.float64) for c in (3, 2))
    parameters = dict(layer.named_parameters())

    def function(*values):
        named = dict(zip(parameters, values, strict=True))
        return torch.func.functional_call(layer, named, (x, mask))[0]

    assert torch.autograd.gradcheck(function, tuple(parameters.values()))


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
@pytest.mark.parametrize("value", [0.0, 1.0])
def test_half_precision_is_finite_and_near(dtype, value):
    layer = layer_of(dtype=torch.float32)
    x, mask = torch.randn(2, 3, 9, 7), torch.full((2, 2, 9, 7), value)
    wanted, _ = layer(x, mask)
    y, features = layer.to(dtype)(x.to(dtype), mask.to(dtype))
    assert y.dtype == features.dtype == dtype
    torch.testing.assert_close(y.float(), wanted, atol=0.1, rtol=0.1)


def test_no_filter_of_a_window_is_ever_made():
    """The largest tensor on the way, forward and backward, has (M + 1)·Cout channels a window."""
    largest = 0

    class Watch(torch.utils._python_dispatch.TorchDispatchMode):
        def __torch_dispatch__(self, function, types, args=(), kwargs=None):
            nonlocal largest
            result = function(*args, **(kwargs or {}))
            for tensor in torch.utils._pytree.tree_leaves(result):
                if isinstance(tensor, torch.Tensor):
                    largest = max(largest, tensor.numel())
            return result

    layer = MaskAwareFilter(8, 4, 5, mask_channels=1, stride=2)
    x = torch.randn(1, 8, 64, 64, requires_grad=True)
    with Watch():
        layer(x, torch.ones(1, 1, 64, 64))[0].sum().backward()
    assert largest == 17 * 4 * 32 * 32
    assert largest < 8 * 5 * 5 * 4 * 32 * 32 / 10
