"""The generator of both Region-wise papers: semantic inferring, then global perceiving.

"Coarse-to-Fine Image Inpainting via Region-wise Convolutions and Non-local Correlation" (Ma et al.,
IJCAI 2019; the later paper calls it RED) and "Region-wise Generative Adversarial Image Inpainting
for Large Missing Areas" have the same generator; the second one adds a discriminator
(`regionwise.discriminators.region_wise`) and a second phase of training.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from regionwise.errors import ModelError
from regionwise.layers.membrane_start import GreyStart, corrected, membrane_start
from regionwise.layers.padding import crop, pad_to_multiple
from regionwise.layers.region_conv import RegionConv, RegionConvReading
from regionwise.layers.stacking import stacked
from regionwise.layers.upsampling_conv import UpsamplingConv
from regionwise.models.network import InpaintingNetwork
from regionwise.models.options import check_option
from regionwise.models.prediction import Prediction

Convolution = Literal["region-wise", "standard"]

_LEAST = 17
"""Pixels of a side at a quarter of the size: the dilation of 16 must find a row to reflect."""


class RegionWiseGenerator(InpaintingNetwork):
    """Two encoder-decoders, 4.7M parameters at width 32; the first has region-wise convolutions.

    The first stage's picture, with the known pixels put back, is what the second one sees.

    Args:
        width: channels of the first convolution, 32 in the papers.
        stages: 2, or 1 for the semantic inferring network alone (Figures 5e and 4e of the papers).
        convolution: "region-wise", or "standard" for the ablation with one filter for all (5b, 4b).
        reading: of eq. (1): "released" (the regions are parted by channel, as the second paper's
            text says too) or "window", see `regionwise.layers.region_conv`.
        start: "grey": the hole is painted mid grey, and the pictures are predicted, as in the
            papers. "membrane": the hole is filled smoothly and each stage predicts a correction to
            what it sees, in units of the known region's standard deviation.

    Shapes: image N×3×H×W in [0, 1], mask N×1×H×W (1 = missing), any H, W ≥ 1 (padded inside to
    multiples of 4 and at least 68) → `Prediction` with a picture of N×3×H×W for each stage.
    """

    def __init__(
        self,
        *,
        width: int = 32,
        stages: Literal[1, 2] = 2,
        convolution: Convolution = "region-wise",
        reading: RegionConvReading = "released",
        start: GreyStart = "grey",
    ) -> None:
        super().__init__()
        _check_options(width, stages, convolution, reading, start)
        self.start = start
        networks: list[nn.Module] = [SemanticInferringNetwork(width, convolution, reading)]
        if stages == 2:
            networks.append(GlobalPerceivingNetwork(width))
        self.networks = nn.ModuleList(networks)
        if start == "membrane":
            for network in self.networks:
                network.last.weight.data.mul_(0.1)  # type: ignore[union-attr, operator]
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def forward(self, image: Tensor, mask: Tensor) -> Prediction:
        """Fill the hole; see the class for shapes."""
        height, width = image.shape[-2:]
        mask = (mask > 0.5).to(image.dtype)
        image, mask = (pad_to_multiple(x, 4, least=_LEAST) for x in (image, mask))
        pictures = self.pictures(image * 2 - 1, mask)
        stages = [crop((y + 1) / 2, height, width) for y in pictures]
        return Prediction(stages if self.training else [y.clamp(0, 1) for y in stages])

    def pictures(self, image: Tensor, mask: Tensor) -> list[Tensor]:
        """What each stage predicts, before the papers' clipping to [-1, 1].

        Args:
            image: N×3×H×W in [-1, 1], H and W multiples of 4 and at least 68.
            mask: N×1×H×W of 0 and 1.

        Returns:
            Coarse first, each N×3×H×W.
        """
        hole, known = mask > 0.5, 1 - mask
        if self.start == "grey":
            picture, unit = torch.where(hole, torch.zeros_like(image), image), None
        else:
            start = membrane_start((image + 1) / 2, mask, least=0.01)
            picture, unit = start.picture * 2 - 1, start.unit * 2
        regions = torch.cat([known, mask], dim=1)
        pictures: list[Tensor] = []
        for network in self.networks:
            y = network(stacked(picture, known), regions)
            pictures.append(F.elu(y) if unit is None else corrected(picture, y, unit))
            picture = torch.where(hole, pictures[-1].clamp(-1, 1), picture)
        return pictures


class SemanticInferringNetwork(nn.Module):
    """Stage one, 2.830M parameters: an encoder, and a decoder of region-wise convolutions.

    Shapes: picture and validity N×4×H×W, regions N×2×H×W (known, missing) → N×3×H×W before the
    last activation.
    """

    def __init__(self, width: int, convolution: Convolution, reading: RegionConvReading) -> None:
        super().__init__()
        deep = 4 * width
        self.encoder = _Encoder(width)
        self.steps = nn.ModuleList(
            _RegionStep(deep, skip, upsample, reading)
            if convolution == "region-wise"
            else _StandardStep(deep, skip, upsample)
            for skip, upsample in ((deep, True), (2 * width, False), (2 * width, True))
        )
        self.tail = nn.Sequential(_layer(deep, width), _layer(width, width // 2))
        self.last = _convolution(width // 2, 3)

    def forward(self, x: Tensor, regions: Tensor) -> Tensor:
        """Infer the picture; see the class."""
        encoded = self.encoder(x)
        x = encoded.deepest
        skips = (encoded.quarter, encoded.half, encoded.half_early)
        for step, skip in zip(self.steps, skips, strict=True):
            x = step(x, skip, regions)
        y: Tensor = self.last(self.tail(x))
        return y


class GlobalPerceivingNetwork(nn.Module):
    """Stage two, 1.876M parameters: an encoder-decoder of ordinary convolutions with skip links.

    Shapes: as of `SemanticInferringNetwork`, whose regions it ignores.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.encoder = _Encoder(width)
        self.to_half = nn.Sequential(UpsamplingConv(8 * width, 2 * width), nn.ELU(inplace=True))
        self.at_half = _layer(4 * width, 2 * width)
        self.to_full = nn.Sequential(UpsamplingConv(4 * width, width), nn.ELU(inplace=True))
        self.at_full = _layer(2 * width, width // 2)
        self.last = _convolution(width // 2, 3)

    def forward(self, x: Tensor, regions: Tensor) -> Tensor:
        """Refine the picture; see the class."""
        encoded = self.encoder(x)
        x = self.to_half(torch.cat([encoded.deepest, encoded.quarter], dim=1))
        x = self.at_half(torch.cat([x, encoded.half], dim=1))
        x = self.to_full(torch.cat([x, encoded.half_early], dim=1))
        y: Tensor = self.last(self.at_full(torch.cat([x, encoded.full], dim=1)))
        return y


class _Encoded(NamedTuple):
    """The deepest features and the skip links, these by their share of the picture's size."""

    deepest: Tensor
    quarter: Tensor
    half: Tensor
    half_early: Tensor
    full: Tensor


class _Encoder(nn.Module):
    """DeepFill's (Yu et al. 2018): four dilated convolutions at a quarter of the size.

    Two layers after them see the features before them once more.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        deep = 4 * width
        self.at_full = _layer(4, width, kernel=5)
        self.to_half = _layer(width, 2 * width, stride=2)
        self.at_half = _layer(2 * width, 2 * width)
        self.to_quarter = _layer(2 * width, deep, stride=2)
        self.before = nn.ModuleList(_layer(deep, deep) for _ in range(2))
        self.dilated = nn.Sequential(*(_layer(deep, deep, dilation=d) for d in (2, 4, 8, 16)))
        self.after = nn.ModuleList(_layer(2 * deep, deep) for _ in range(2))

    def forward(self, x: Tensor) -> _Encoded:
        full = self.at_full(x)
        half_early = self.to_half(full)
        half = self.at_half(half_early)
        quarter = self.to_quarter(half)
        first = self.before[0](quarter)
        second = self.before[1](first)
        x = self.after[0](torch.cat([self.dilated(second), second], dim=1))
        x = self.after[1](torch.cat([x, first], dim=1))
        return _Encoded(x, quarter, half, half_early, full)


class _RegionStep(nn.Module):
    """A decoder step: the known region's filter sees the skip link, the hole's does not."""

    def __init__(
        self, channels: int, skip: int, upsample: bool, reading: RegionConvReading
    ) -> None:
        super().__init__()
        self.conv = RegionConv(
            [channels + skip, channels], channels, reading=reading, upsample=upsample
        )

    def forward(self, x: Tensor, skip: Tensor, regions: Tensor) -> Tensor:
        return F.elu_(self.conv([torch.cat([x, skip], dim=1), x], regions))


class _StandardStep(nn.Module):
    """The same step with one filter for both regions."""

    def __init__(self, channels: int, skip: int, upsample: bool) -> None:
        super().__init__()
        convolution = UpsamplingConv if upsample else _convolution
        self.conv = convolution(channels + skip, channels)

    def forward(self, x: Tensor, skip: Tensor, regions: Tensor) -> Tensor:
        return F.elu_(self.conv(torch.cat([x, skip], dim=1)))


def _convolution(
    inputs: int, outputs: int, kernel: int = 3, stride: int = 1, dilation: int = 1
) -> nn.Conv2d:
    """With reflection padding; Xavier's weights, which are TensorFlow's default."""
    convolution = nn.Conv2d(
        inputs,
        outputs,
        kernel,
        stride=stride,
        dilation=dilation,
        padding=dilation * (kernel // 2),
        padding_mode="reflect",
    )
    nn.init.xavier_uniform_(convolution.weight)
    assert convolution.bias is not None
    nn.init.zeros_(convolution.bias)
    return convolution


def _layer(
    inputs: int, outputs: int, *, kernel: int = 3, stride: int = 1, dilation: int = 1
) -> nn.Sequential:
    """A convolution and ELU."""
    convolution = _convolution(inputs, outputs, kernel, stride, dilation)
    return nn.Sequential(convolution, nn.ELU(inplace=True))


def _check_options(width: int, stages: int, convolution: str, reading: str, start: str) -> None:
    for name, value, allowed in (
        ("stages", stages, (1, 2)),
        ("convolution", convolution, ("region-wise", "standard")),
        ("reading", reading, ("released", "window")),
        ("start", start, ("grey", "membrane")),
    ):
        check_option("region-wise", name, value, allowed)
    if width < 2 or width % 2:
        raise ModelError(f"region-wise: width={width}: it is an even number of channels, 2 or more")
