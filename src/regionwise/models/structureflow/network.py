"""StructureFlow: "Image Inpainting via Structure-aware Appearance Flow" (Ren et al., ICCV 2019).

A first network continues the structure, the picture without texture, into the hole; a second one
paints texture on it, fetched along a flow from where the picture is known.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from regionwise.layers.appearance_flow import gaussian_sample
from regionwise.layers.padding import crop, pad_to_multiple
from regionwise.layers.relative_total_variation import smooth_structure
from regionwise.models.network import InpaintingNetwork
from regionwise.models.prediction import Prediction

_SAMPLERS = ((16, 4.0), (4, 2.0))
"""Taps and deviation of the two Gaussians that sample along the flow."""


class StructureFlowGenerator(InpaintingNetwork):
    """StructureFlow: structure 36.1M, texture 56.5M parameters.

    `recipes/structureflow.yaml` is its training.

    Args:
        width: channels of the first convolution, 64 in the paper.

    Shapes: image N×3×H×W in [0, 1], mask N×1×H×W (1 = missing), any H, W ≥ 1 (padded inside to
    multiples of 16) → `Prediction` with two stages of N×3×H×W, the structure and the answer; the
    structure is its `guide` too, and it has a `flow` at 1/4 of the size.
    """

    exportable = False
    """The structure of the known region comes from a library's solver: there is no one graph."""

    def __init__(self, *, width: int = 64) -> None:
        super().__init__()
        self.structure_network = _StructureNetwork(width)
        self.flow_network = _FlowNetwork(width)
        self.texture_network = _TextureNetwork(width)

    def forward(
        self,
        image: Tensor,
        mask: Tensor,
        guide: Tensor | None = None,
        *,
        along_guide: bool = False,
    ) -> Prediction:
        """Fill the hole; see the class for shapes.

        Args:
            image, mask: see the class.
            guide: the structure of the whole true picture, N×3×H×W in [0, 1], as in training; of it
                only that of the known region is used. Else it is found there.
            along_guide: paint along all of `guide`, not along the predicted structure.
        """
        height, width = image.shape[-2:]
        hole = (mask > 0.5).to(image.dtype)
        smooth = smooth_structure(image, hole) if guide is None else guide
        image, smooth, hole = (pad_to_multiple(x, 16, least=3) for x in (image, smooth, hole))
        structure = self.structure(image, hole, smooth)
        answer, flow = self.texture(image, hole, smooth * 2 - 1 if along_guide else structure)
        stages = [crop((picture + 1) / 2, height, width) for picture in (structure, answer)]
        flow = crop(flow, -(-height // 4), -(-width // 4))
        return Prediction(stages, guide=stages[0], flow=flow)

    def structure(self, image: Tensor, mask: Tensor, smooth: Tensor) -> Tensor:
        """The structure in [-1, 1], given that of the known region.

        Args:
            image, smooth: N×3×H×W in [0, 1]; H and W multiples of 16, at least 48.
            mask: N×1×H×W of 0 and 1.
        """
        inputs = torch.cat([_known(image, mask), _known(smooth, mask), mask], dim=1)
        picture: Tensor = self.structure_network(inputs)
        return picture

    def texture(self, image: Tensor, mask: Tensor, structure: Tensor) -> tuple[Tensor, Tensor]:
        """The answer in [-1, 1], and the flow at 1/4 of the size, in its pixels (x, y)."""
        inputs = torch.cat([_known(image, mask), structure, mask], dim=1)
        flow = self.flow_network(inputs)
        return self.texture_network(inputs, flow), flow


class _ChannelNorm(nn.Module):
    """Layer normalisation over channels and positions together, γ and β of each channel."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(channels, 1, 1))
        self.bias = nn.Parameter(torch.zeros(channels, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        return F.layer_norm(x, x.shape[1:]) * self.weight + self.bias


NormFactory = Callable[[int], nn.Module]


class _Layer(nn.Module):
    """A convolution with reflected borders, normalised, then ReLU."""

    def __init__(
        self, inputs: int, outputs: int, kernel: int, norm: NormFactory, *, stride: int = 1
    ) -> None:
        super().__init__()
        self.conv = nn.Conv2d(
            inputs,
            outputs,
            kernel,
            stride=stride,
            padding=(kernel - 1) // 2,
            padding_mode="reflect",
        )
        self.norm = norm(outputs)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.norm(self.conv(x))
        return y


class _Step(_Layer):
    """The same, activated."""

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(super().forward(x))


class _Residual(nn.Module):
    """x + two normalised 3×3 convolutions, ReLU between them."""

    def __init__(self, channels: int, norm: NormFactory) -> None:
        super().__init__()
        self.first = _Step(channels, channels, 3, norm)
        self.second = _Layer(channels, channels, 3, norm)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = x + self.second(self.first(x))
        return y


def _residuals(channels: int, norm: NormFactory, count: int) -> nn.Sequential:
    return nn.Sequential(*(_Residual(channels, norm) for _ in range(count)))


class _Up(nn.Module):
    """Residual blocks, twice the size by repetition, a 5×5 convolution."""

    def __init__(self, inputs: int, outputs: int, norm: NormFactory, blocks: int) -> None:
        super().__init__()
        self.blocks = _residuals(inputs, norm, blocks)
        self.conv = _Step(inputs, outputs, 5, norm)

    def forward(self, x: Tensor) -> Tensor:
        x = F.interpolate(self.blocks(x), scale_factor=2.0, mode="nearest")
        y: Tensor = self.conv(x)
        return y


class _StructureNetwork(nn.Module):
    """Three halvings, three doublings; the encoder's features are added through a convolution."""

    def __init__(self, width: int) -> None:
        super().__init__()
        c, norm = width, nn.InstanceNorm2d
        self.encoder = nn.ModuleList(
            [
                _Step(7, c, 7, norm),
                nn.Sequential(_Step(c, 2 * c, 4, norm, stride=2), _Step(2 * c, 2 * c, 5, norm)),
                nn.Sequential(_Step(2 * c, 4 * c, 4, norm, stride=2), _Step(4 * c, 4 * c, 5, norm)),
                _Step(4 * c, 8 * c, 4, norm, stride=2),
            ]
        )
        self.decoder = nn.ModuleList(_Up(2 * d, d, norm, 4) for d in (4 * c, 2 * c, c))
        self.skips = nn.ModuleList(_Step(d, d, 5, norm) for d in (4 * c, 2 * c, c))
        self.last = nn.Conv2d(c, 3, 3, padding=1, padding_mode="reflect")

    def forward(self, x: Tensor) -> Tensor:
        encoded = []
        for layer in self.encoder:
            x = layer(x)
            encoded.append(x)
        encoded.pop()
        for step, skip in zip(self.decoder, self.skips, strict=True):
            x = step(x) + skip(encoded.pop())
        return torch.tanh(self.last(x))


class _FlowNetwork(nn.Module):
    """Four halvings, two doublings: a flow at 1/4 of the size."""

    def __init__(self, width: int) -> None:
        super().__init__()
        c, norm = width, nn.InstanceNorm2d
        self.first = _Step(7, c // 2, 7, norm)
        widths = [c // 2, c, 2 * c, 4 * c, 8 * c]
        self.encoder = nn.ModuleList(
            nn.Sequential(_Step(a, b, 4, norm, stride=2), _Step(b, b, 5, norm))
            for a, b in pairwise(widths)
        )
        self.deepest = _residuals(8 * c, norm, 2)
        self.up1 = nn.ConvTranspose2d(8 * c, 4 * c, 6, stride=2, padding=2)
        self.join = _Step(8 * c, 4 * c, 5, norm)
        self.middle = _residuals(4 * c, norm, 2)
        self.up2 = nn.ConvTranspose2d(4 * c, 2 * c, 6, stride=2, padding=2)
        self.location = _Step(4 * c, c, 5, norm)
        self.flow = nn.Conv2d(c, 2, 3, padding=1, padding_mode="reflect", bias=False)

    def forward(self, x: Tensor) -> Tensor:
        x = self.first(x)
        encoded = []
        for layer in self.encoder:
            x = layer(x)
            encoded.append(x)
        x = F.relu(F.instance_norm(self.up1(self.deepest(x))))
        x = self.middle(self.join(torch.cat([x, encoded[2]], dim=1)))
        x = F.relu(F.instance_norm(self.up2(x)))
        flow: Tensor = self.flow(self.location(torch.cat([x, encoded[1]], dim=1)))
        return flow


class _TextureNetwork(nn.Module):
    """An encoder and decoder whose features at 1/4 of the size are also fetched along the flow."""

    def __init__(self, width: int) -> None:
        super().__init__()
        c, norm = width, _ChannelNorm
        self.quarter = nn.Sequential(
            _Step(7, c // 2, 7, norm),
            _Step(c // 2, c, 4, norm, stride=2),
            _Step(c, c, 5, norm),
            _Step(c, 2 * c, 4, norm, stride=2),
            _Step(2 * c, 2 * c, 5, norm),
        )
        self.eighth = nn.Sequential(
            _Step(2 * c, 4 * c, 5, norm), _Step(4 * c, 8 * c, 4, norm, stride=2)
        )
        self.decoder = _Up(8 * c, 4 * c, norm, 2)
        self.join = _Step(8 * c, 4 * c, 5, norm)
        self.ups = nn.Sequential(_Up(4 * c, 2 * c, norm, 2), _Up(2 * c, c, norm, 2))
        self.last = nn.Conv2d(c, 3, 3, padding=1, padding_mode="reflect")

    def forward(self, x: Tensor, flow: Tensor) -> Tensor:
        quarter = self.quarter(x)
        x = self.decoder(self.eighth(quarter))
        sampled = [gaussian_sample(quarter, flow, taps, sigma) for taps, sigma in _SAMPLERS]
        x = self.ups(self.join(torch.cat([x, *sampled], dim=1)))
        return torch.tanh(self.last(x))


def _known(picture: Tensor, mask: Tensor) -> Tensor:
    """Into [-1, 1], 0 in the hole."""
    return torch.where(mask > 0, torch.zeros_like(picture), picture * 2 - 1)
