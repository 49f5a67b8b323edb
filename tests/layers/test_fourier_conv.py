"""Fast Fourier convolution against sums over all places, written from the papers."""

import math

import pytest
import torch
from torch import nn

from regionwise.layers.fourier_conv import (
    FourierConv,
    FourierUnit,
    SpectralTransform,
    from_spectrum,
    spectrum,
)

SIZES = [(1, 1), (1, 2), (2, 1), (4, 6), (5, 7), (3, 8), (6, 3)]


def slow_spectrum(x):
    """Each frequency's sum over all places: X(u, v) = Σ x(h, w) e^(−2πi(uh/H + vw/W)) / √(HW)."""
    batch, channels, height, width = x.shape
    parts = torch.zeros(batch, 2 * channels, height, width // 2 + 1, dtype=x.dtype)
    for u in range(height):
        for v in range(width // 2 + 1):
            for h in range(height):
                for w in range(width):
                    angle = -2 * math.pi * (u * h / height + v * w / width)
                    parts[:, ::2, u, v] += x[..., h, w] * math.cos(angle)
                    parts[:, 1::2, u, v] += x[..., h, w] * math.sin(angle)
    return parts / math.sqrt(height * width)


@pytest.fixture(params=[False, True], ids=["transform", "matrices"])
def way(request, monkeypatch):
    """The Fourier transform of PyTorch, and the products that a compiler or exporter is given."""
    monkeypatch.setattr(torch.compiler, "is_compiling", lambda: request.param)


@pytest.mark.parametrize(("height", "width"), SIZES)
def test_spectrum(height, width, way):
    x = torch.randn(2, 3, height, width, dtype=torch.float64)
    torch.testing.assert_close(spectrum(x), slow_spectrum(x))


@pytest.mark.parametrize(("height", "width"), SIZES)
def test_back_from_any_spectrum(height, width, way, monkeypatch):
    """Also of one that no real map has, as a convolution makes it: both ways drop the same."""
    x = torch.randn(2, 3, height, width, dtype=torch.float64)
    torch.testing.assert_close(from_spectrum(spectrum(x), width), x)
    parts = torch.randn(2, 6, height, width // 2 + 1, dtype=torch.float64)
    ours = from_spectrum(parts, width)
    monkeypatch.setattr(torch.compiler, "is_compiling", lambda: False)
    torch.testing.assert_close(ours, from_spectrum(parts, width))


def lively(layer):
    for module in layer.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.weight, 1, 0.2)
            nn.init.normal_(module.bias, 0, 0.2)
            nn.init.normal_(module.running_mean, 0, 0.2)
            nn.init.uniform_(module.running_var, 0.5, 1.5)
    return layer.double().eval()


def pointwise(conv, x):
    return torch.einsum("oi,nihw->nohw", conv.weight[:, :, 0, 0], x)


def normalized(norm, x):
    mean, variance, scale, shift = (
        values.view(1, -1, 1, 1)
        for values in (norm.running_mean, norm.running_var, norm.weight, norm.bias)
    )
    return ((x - mean) / (variance + norm.eps).sqrt() * scale + shift).clamp(min=0)


def slow_unit(unit, x):
    """LaMa, section 2.1, a) to c)."""
    parts = normalized(unit.norm, pointwise(unit.conv, slow_spectrum(x)))
    complex_parts = torch.complex(parts[:, ::2], parts[:, 1::2])
    return torch.fft.irfft2(complex_parts, s=x.shape[-2:], norm="ortho")


@pytest.mark.parametrize(("height", "width"), [(4, 6), (5, 3)])
def test_unit(height, width):
    unit = lively(FourierUnit(3))
    x = torch.randn(2, 3, height, width, dtype=torch.float64)
    torch.testing.assert_close(unit(x), slow_unit(unit, x))


def slow_transform(layer, x):
    x = normalized(layer.norm, pointwise(layer.reduce, x))
    return pointwise(layer.expand, x + slow_unit(layer.unit, x))


def reflected(conv, x):
    """The convolution as a sum over its taps, the borders mirrored without repetition."""
    reach = conv.kernel_size[0] // 2
    rows = [abs(i) for i in range(-reach, 0)] + list(range(x.shape[-2]))
    rows += [x.shape[-2] - 2 - i for i in range(reach)]
    columns = [abs(i) for i in range(-reach, 0)] + list(range(x.shape[-1]))
    columns += [x.shape[-1] - 2 - i for i in range(reach)]
    x = x[:, :, rows][..., columns]
    kernel, stride = conv.kernel_size[0], conv.stride[0]
    out = 0
    height, width = x.shape[-2] - kernel + 1, x.shape[-1] - kernel + 1
    for i in range(kernel):
        for j in range(kernel):
            seen = x[:, :, i : i + height : stride, j : j + width : stride]
            out = out + torch.einsum("oi,nihw->nohw", conv.weight[:, :, i, j], seen)
    return out


@pytest.mark.parametrize(("height", "width"), [(4, 6), (5, 3)])
def test_all_four_paths(height, width):
    layer = lively(FourierConv((2, 4), (3, 6), 3))
    local = torch.randn(2, 2, height, width, dtype=torch.float64)
    distant = torch.randn(2, 4, height, width, dtype=torch.float64)
    ours = layer((local, distant))
    of_both = reflected(layer.local_to_local, local) + reflected(layer.global_to_local, distant)
    torch.testing.assert_close(ours[0], normalized(layer.local_norm, of_both))
    of_both = reflected(layer.local_to_global, local)
    of_both = of_both + slow_transform(layer.global_to_global, distant)
    torch.testing.assert_close(ours[1], normalized(layer.global_norm, of_both))


@pytest.mark.parametrize("outputs", [(3, 0), (3, 6)])
def test_from_local_channels_alone(outputs):
    layer = lively(FourierConv((2, 0), outputs, 3, stride=2))
    x = torch.randn(1, 2, 6, 8, dtype=torch.float64)
    local, distant = layer((x, None))
    wanted = normalized(layer.local_norm, reflected(layer.local_to_local, x))
    torch.testing.assert_close(local, wanted)
    assert local.shape[-2:] == (3, 4)
    if outputs[1]:
        wanted = normalized(layer.global_norm, reflected(layer.local_to_global, x))
        torch.testing.assert_close(distant, wanted)
    else:
        assert distant is None


@pytest.mark.parametrize(("height", "width"), [(4, 5), (3, 4)])
def test_gradient(height, width, way):
    layer = lively(SpectralTransform(2, 4))
    x = torch.randn(1, 2, height, width, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(layer, (x,))


def test_one_pixel_is_seen_everywhere():
    layer = lively(FourierUnit(2))
    x = torch.randn(1, 2, 9, 11, dtype=torch.float64)
    other = x.clone()
    other[..., 0, 0] += 1
    assert ((layer(x) - layer(other)).abs().amax(dim=1) > 1e-9).all()


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision(dtype):
    layer = SpectralTransform(4, 4).eval()
    x = torch.randn(1, 4, 6, 7)
    wanted = layer(x)
    ours = layer.to(dtype)(x.to(dtype))
    assert ours.dtype == dtype
    torch.testing.assert_close(ours.float(), wanted, atol=0.05, rtol=0.05)
