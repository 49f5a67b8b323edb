"""The generators of "DeepGIN: Deep Generative Inpainting Network for Extreme Image Inpainting".

Li et al., ECCV 2020 workshops: a coarse network, then a refining one with attention at three scales
and back projection. `TABLE_1` of the card has the paper's variations by the names of its rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from regionwise.layers.back_projection import BackProjection
from regionwise.layers.bilinear import doubled, resized
from regionwise.layers.membrane_start import WhiteStart, corrected, membrane_start
from regionwise.layers.padding import crop, pad_to_multiple
from regionwise.layers.picture_head import conv_in_blocks
from regionwise.layers.pyramid_dilation import EIGHT_RATES, FOUR_RATES, PyramidDilationBlock
from regionwise.layers.replicated_borders import ReplicatedConv2d, replicate_borders
from regionwise.layers.self_attention import SelfAttention
from regionwise.layers.stacking import stacked
from regionwise.models.network import InpaintingNetwork
from regionwise.models.options import check_option
from regionwise.models.prediction import Prediction, compose

Attention = Literal["none", "single", "multi"]


class DeepGinGenerator(InpaintingNetwork):
    """DeepGIN: coarse and refinement stage, 42.930M parameters at width 32.

    The known pixels are put back between the stages. The refinement's picture, with the known
    pixels put back once more, is brought into line with its own low-resolution prediction.

    Args:
        width: channels of the first convolutions, 32 in the paper; each halving of the size doubles
            them, up to 8 times as many in the coarse stage and 16 times in the refinement.
        blocks: residual blocks of each stage, 6 in the paper.
        coarse_rates, refinement_rates: dilations of the blocks, see `PyramidDilationBlock`: (1,) is
            the standard block, (2,) the dilated one.
        refinement: whether there is a second stage.
        attention: "none"; "single", at 1/16 of the size amid the refinement's blocks; or "multi",
            at 1/8 and 1/4 as well, on skips from encoder to decoder.
        back_projection: whether there are a low-resolution prediction and back projection.
        start: "white": the hole is painted white and pictures are predicted, as in the paper.
            "membrane": the hole is filled smoothly, and each stage predicts a correction to what it
            is given, in units of the known region's standard deviation. It learns far more from
            little training.

    Shapes: image N×3×H×W in [0, 1], mask N×1×H×W (1 = missing), any H, W ≥ 1 (padded inside to
    multiples of 16) → `Prediction` with one or two stages of N×3×H×W and, with back projection,
    `low_resolution` of N×3×⌈H/4⌉×⌈W/4⌉, whose corner pixels' centres are those of the whole picture
    where H and W are multiples of 16.
    """

    def __init__(
        self,
        *,
        width: int = 32,
        blocks: int = 6,
        coarse_rates: Sequence[int] = EIGHT_RATES,
        refinement_rates: Sequence[int] = FOUR_RATES,
        refinement: bool = True,
        attention: Attention = "multi",
        back_projection: bool = True,
        start: WhiteStart = "white",
    ) -> None:
        super().__init__()
        check_option("deepgin", "start", start, ("white", "membrane"))
        self.start = start
        check_option("deepgin", "attention", attention, ("none", "single", "multi"))
        self.coarse = _CoarseNetwork(width, blocks, coarse_rates)
        self.refinement: _RefinementNetwork | None = None
        self.back_projection: BackProjection | None = None
        if refinement:
            self.refinement = _RefinementNetwork(
                width, blocks, refinement_rates, attention, low_resolution=back_projection
            )
            if back_projection:
                self.back_projection = BackProjection(width)

    def forward(self, image: Tensor, mask: Tensor) -> Prediction:
        """Fill the hole; see the class for shapes."""
        if self.start == "membrane":
            prediction: Prediction = self._fill_uncompiled(image, mask)
            return prediction
        return self._fill(image, mask)

    @torch.compiler.disable  # type: ignore[untyped-decorator]
    def _fill_uncompiled(self, image: Tensor, mask: Tensor) -> Prediction:
        """From the membrane, PyTorch 2.13's compiler gets the two stages' gradients wrong."""
        return self._fill(image, mask)

    def _fill(self, image: Tensor, mask: Tensor) -> Prediction:
        height, width = image.shape[-2:]
        unit = None
        if self.start == "white":
            seen = torch.where(mask > 0.5, torch.ones_like(image), image)
        else:
            seen, unit = membrane_start(image, mask)
        mask = (mask > 0.5).to(image.dtype)
        image, mask, seen = (pad_to_multiple(x, 16, least=2) for x in (image, mask, seen))
        pictures = [_corrected(self.coarse(stacked(seen, mask)), seen, unit)]
        low_resolution = None
        if self.refinement is not None:
            seen = compose(image, mask, pictures[0])
            answer, low_resolution, features = self.refinement(stacked(seen, mask))
            answer = _corrected(answer, seen, unit)
            if self.back_projection is not None and low_resolution is not None:
                low_resolution = _corrected(low_resolution, resized(seen, low_resolution), unit)
                answer = compose(image, mask, answer)
                answer = self.back_projection(answer, low_resolution, features)
                low_resolution = crop(low_resolution, (height + 3) // 4, (width + 3) // 4)
            pictures.append(answer)
        stages = [crop(picture, height, width) for picture in pictures]
        if self.training:
            return Prediction(stages, low_resolution)
        if low_resolution is not None:
            low_resolution = low_resolution.clamp(0, 1)
        return Prediction([stage.clamp(0, 1) for stage in stages], low_resolution)


class _CoarseNetwork(nn.Module):
    """Picture and mask in, picture out: three halvings, residual blocks, three doublings."""

    def __init__(self, width: int, blocks: int, rates: Sequence[int]) -> None:
        super().__init__()
        widths = [width, 2 * width, 4 * width, 8 * width]
        self.encoder = _encoder(widths)
        self.middle = nn.Sequential(
            *(PyramidDilationBlock(widths[-1], rates) for _ in range(blocks))
        )
        self.decoder = nn.ModuleList(_convolution(2 * c, c, 3) for c in reversed(widths[:-1]))
        self.last = _PictureHead(width)

    def forward(self, x: Tensor) -> Tensor:
        for convolution in self.encoder:
            x = _activated(convolution(x))
        x = self.middle(x)
        for convolution in self.decoder:
            x = _activated(convolution(doubled(x)))
        last: Tensor = self.last(x)
        return last


class _RefinementNetwork(nn.Module):
    """Picture and mask in; picture, low-resolution picture (or None) and the last features out."""

    def __init__(
        self,
        width: int,
        blocks: int,
        rates: Sequence[int],
        attention: Attention,
        *,
        low_resolution: bool,
    ) -> None:
        super().__init__()
        widths = [width * 2**level for level in range(5)]
        self.encoder = _encoder(widths)
        middle: list[nn.Module] = [PyramidDilationBlock(widths[-1], rates) for _ in range(blocks)]
        if attention != "none":
            middle.insert(blocks // 2, SelfAttention(widths[-1]))
        self.middle = nn.Sequential(*middle)
        self.decoder = nn.ModuleList(_convolution(2 * c, c, 3) for c in reversed(widths[:-1]))
        self.skips = nn.ModuleList(
            _AttendedSkip(c) for c in (widths[3], widths[2]) if attention == "multi"
        )
        self.last = _PictureHead(width)
        self.low_resolution: nn.Sequential | None = None
        if low_resolution:
            self.low_resolution = nn.Sequential(
                _convolution(widths[2], width, 3),
                nn.LeakyReLU(0.2, inplace=True),
                _convolution(width, 3, 3, gain=0.1),
            )

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor | None, Tensor]:
        encoded = {}
        for level, convolution in enumerate(self.encoder):
            x = _activated(convolution(x))
            if level in (2, 3):  # only these are skipped: the larger ones can go
                encoded[level] = x
        x = self.middle(x)
        low_resolution = None
        for level, convolution in zip((3, 2, 1, 0), self.decoder, strict=True):
            x = _activated(convolution(doubled(x)))
            if 3 - level < len(self.skips):
                x = self.skips[3 - level](x, encoded.pop(level))
            if level == 2 and self.low_resolution is not None:
                low_resolution = self.low_resolution(x)
        return self.last(x), low_resolution, x


class _AttendedSkip(nn.Module):
    """Features of the encoder, at half their channels and after attention, join the decoder's."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.reduction = _convolution(channels, channels // 2, 3)
        self.attention = SelfAttention(channels // 2)
        self.mix = _convolution(channels + channels // 2, channels, 3)

    def forward(self, decoded: Tensor, encoded: Tensor) -> Tensor:
        attended = self.attention(_activated(self.reduction(encoded)))
        return _activated(self.mix(torch.cat([decoded, attended], dim=1)))


class _PictureHead(nn.Conv2d):
    """The last 7×7 convolution to three channels, with replicated borders; even sizes only."""

    def __init__(self, channels: int) -> None:
        super().__init__(channels, 3, 7)
        _initialize(self, gain=0.1)

    def forward(self, x: Tensor) -> Tensor:
        assert self.bias is not None
        return conv_in_blocks(replicate_borders(x, 3), self.weight, self.bias)


def _encoder(widths: list[int]) -> nn.ModuleList:
    halvings = (_convolution(c, 2 * c, 4, stride=2) for c in widths[:-1])
    return nn.ModuleList([_convolution(4, widths[0], 7), *halvings])


def _convolution(
    inputs: int, outputs: int, kernel: int, *, stride: int = 1, gain: float = 1.0
) -> nn.Conv2d:
    convolution = ReplicatedConv2d(inputs, outputs, kernel, stride=stride)
    _initialize(convolution, gain)
    return convolution


def _initialize(convolution: nn.Conv2d, gain: float) -> None:
    """Kaiming normal × gain, which is 0.1 where a picture is made; no bias."""
    nn.init.kaiming_normal_(convolution.weight, a=0.2)
    convolution.weight.data.mul_(gain)
    assert convolution.bias is not None
    nn.init.zeros_(convolution.bias)


def _activated(x: Tensor) -> Tensor:
    return F.leaky_relu(x, 0.2, inplace=True)


def _corrected(predicted: Tensor, seen: Tensor, unit: Tensor | None) -> Tensor:
    """The predicted picture; given a unit, what was seen plus what was predicted in this unit."""
    return predicted if unit is None else corrected(seen, predicted, unit)
