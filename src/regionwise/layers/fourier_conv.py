"""Fast Fourier convolution (Chi et al., NeurIPS 2020) as in LaMa (Suvorov et al., WACV 2022).

Channels are of two kinds. Local ones are convolved as ever; global ones also by 1×1 convolutions of
their spectrum, of which each number sees the whole map. So a network sees everything from its first
layers on, at any size.
"""

from __future__ import annotations

from math import pi

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from regionwise.layers.folding import fold_scale

Maps = tuple[Tensor, Tensor | None]
"""Local channels, and global ones where there are any, N×C×H×W each."""


def spectrum(x: Tensor) -> Tensor:
    """The orthonormal Fourier transform of real maps, its left half, which tells the rest.

    An exporter is given products with the transform's matrices: ONNX has no Fourier transform that
    is fast everywhere, and on maps of an eighth of a picture's size they are little work.

    Args:
        x: N×C×H×W.

    Returns:
        N×2C×H×(W // 2 + 1), real and imaginary part of each channel one after the other.
    """
    height, width = x.shape[-2:]
    if not torch.compiler.is_compiling():
        parts = torch.view_as_real(torch.fft.rfft2(x, norm="ortho"))
        return parts.permute(0, 1, 4, 2, 3).flatten(1, 2)
    cosines, sines = _waves(width, width // 2 + 1, x)
    real, imaginary = x @ cosines.mT, -(x @ sines.mT)
    cosines, sines = _waves(height, height, x)
    parts = torch.stack(
        [cosines @ real + sines @ imaginary, cosines @ imaginary - sines @ real], dim=2
    )
    return parts.flatten(1, 2) * _unit(x)


def from_spectrum(parts: Tensor, width: int) -> Tensor:
    """The maps of a spectrum; the inverse of `spectrum`.

    Args:
        parts: N×2C×H×(width // 2 + 1). The first column and, for an even width, the last one count
            as far as real maps can have them.
        width: of the maps.

    Returns:
        N×C×H×width.
    """
    height = parts.shape[-2]
    parts = parts.reshape(parts.shape[0], -1, 2, *parts.shape[-2:])
    if not torch.compiler.is_compiling():
        complex_parts = torch.view_as_complex(parts.permute(0, 1, 3, 4, 2).contiguous())
        maps: Tensor = torch.fft.irfft2(complex_parts, s=(height, width), norm="ortho")
        return maps
    real, imaginary = parts.unbind(2)
    cosines, sines = _waves(height, height, real)
    real, imaginary = cosines @ real - sines @ imaginary, cosines @ imaginary + sines @ real
    cosines, sines = _waves(width, width // 2 + 1, real)
    # A column stands for its mirror image too, unless it is its own.
    frequencies = torch.arange(width // 2 + 1, device=parts.device)
    alone = (frequencies == 0) | (2 * frequencies == width)
    count = torch.where(alone, 1.0, 2.0).to(parts.dtype)
    maps = (real * count) @ cosines - (imaginary * count) @ sines
    return maps * _unit(maps)


def _waves(size: int, frequencies: int, like: Tensor) -> tuple[Tensor, Tensor]:
    """Cosines and sines of the first frequencies at each place, frequencies×size.

    Of angles within one turn, as larger ones would lose digits.
    """
    places = torch.arange(size, device=like.device)
    products = torch.arange(frequencies, device=like.device).unsqueeze(1) * places
    turns = (products - products // size * size).to(like.dtype) / size
    return (2 * pi * turns).cos(), (2 * pi * turns).sin()


def _unit(maps: Tensor) -> Tensor:
    """What makes the transform orthonormal, from the maps' size as a tensor for exporters."""
    count = torch.ones_like(maps[0, 0]).sum()
    return count.rsqrt()


class FourierUnit(nn.Module):
    """A 1×1 convolution of the spectrum, normalised and activated (LaMa, section 2.1).

    Args:
        channels: C.

    Shapes: N×C×H×W, any H, W ≥ 1 → the same. The transforms run in float32 or better.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(2 * channels, 2 * channels, 1, bias=False)
        self.norm = nn.BatchNorm2d(2 * channels)

    def forward(self, x: Tensor) -> Tensor:
        """Convolve the spectrum of x."""
        exact = x.to(torch.promote_types(x.dtype, torch.float32))
        parts = F.relu(self.norm(self.conv(spectrum(exact).to(x.dtype))))
        return from_spectrum(parts.to(exact.dtype), x.shape[-1]).to(x.dtype)

    def fold_norms(self) -> None:
        """See `regionwise.layers.folding`."""
        fold_scale(self.norm, self.conv)


class SpectralTransform(nn.Module):
    """Global channels from global ones: half as many for the Fourier unit, and back.

    Args:
        inputs, outputs: channels.

    Shapes: N×inputs×H×W → N×outputs×H×W.
    """

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.reduce = nn.Conv2d(inputs, outputs // 2, 1, bias=False)
        self.norm = nn.BatchNorm2d(outputs // 2)
        self.unit = FourierUnit(outputs // 2)
        self.expand = nn.Conv2d(outputs // 2, outputs, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """Transform x."""
        x = F.relu(self.norm(self.reduce(x)))
        y: Tensor = self.expand(x + self.unit(x))
        return y

    def fold_norms(self) -> None:
        """See `regionwise.layers.folding`."""
        fold_scale(self.norm, self.reduce)
        self.unit.fold_norms()


class FourierConv(nn.Module):
    """Fast Fourier convolution: each kind of channels from both, normalised and activated.

    Local from local, local from global and global from local by a convolution with reflected
    borders, global from global by a spectral transform.

    Args:
        inputs, outputs: local and global channels; 0 global ones are none.
        kernel: odd.
        stride: 1 or 2; with inputs that have global channels 1.

    Shapes: `Maps` of N×C×H×W, H and W greater than kernel // 2 → `Maps` of N×C×H/stride×W/stride.
    """

    def __init__(
        self, inputs: tuple[int, int], outputs: tuple[int, int], kernel: int, *, stride: int = 1
    ) -> None:
        super().__init__()

        def convolution(channels_in: int, channels_out: int) -> nn.Conv2d | None:
            if not channels_in or not channels_out:
                return None
            return nn.Conv2d(
                channels_in,
                channels_out,
                kernel,
                stride=stride,
                padding=kernel // 2,
                padding_mode="reflect",
                bias=False,
            )

        self.local_to_local = convolution(inputs[0], outputs[0])
        self.global_to_local = convolution(inputs[1], outputs[0])
        self.local_to_global = convolution(inputs[0], outputs[1])
        self.global_to_global: SpectralTransform | None = None
        if all((inputs[1], outputs[1])):
            self.global_to_global = SpectralTransform(inputs[1], outputs[1])
        self.local_norm = nn.BatchNorm2d(outputs[0])
        self.global_norm = nn.BatchNorm2d(outputs[1]) if outputs[1] else None

    def forward(self, maps: Maps) -> Maps:
        """Convolve both kinds of channels."""
        local = F.relu(self.local_norm(_sum(maps, self.local_to_local, self.global_to_local)))
        if self.global_norm is None:
            return local, None
        y = _sum(maps, self.local_to_global, self.global_to_global)
        return local, F.relu(self.global_norm(y))

    def fold_norms(self) -> None:
        """See `regionwise.layers.folding`."""
        fold_scale(self.local_norm, self.local_to_local, self.global_to_local)
        spectral = self.global_to_global
        if spectral is not None:
            spectral.fold_norms()
        if self.global_norm is not None:
            expand = None if spectral is None else spectral.expand
            fold_scale(self.global_norm, self.local_to_global, expand)


def _sum(maps: Maps, of_local: nn.Module | None, of_global: nn.Module | None) -> Tensor:
    """What comes of local and of global channels."""
    parts = [
        layer(x)
        for layer, x in zip((of_local, of_global), maps, strict=True)
        if layer is not None and x is not None
    ]
    return torch.stack(parts).sum(dim=0) if len(parts) > 1 else parts[0]
