"""The generator of "Region Normalization for Image Inpainting" (Yu et al., AAAI 2020).

EdgeConnect's image generator (encoder, eight residual blocks, decoder) with its instance
normalisation replaced; `ARCHITECTURES` of the card is the paper's Table 2, architecture 5 its
proposal.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from regionwise.layers.membrane_start import WhiteStart, corrected, membrane_start
from regionwise.layers.padding import crop, pad_to_multiple
from regionwise.layers.picture_head import PictureHead
from regionwise.layers.region_norm import (
    Affine,
    RegionNormBasic,
    RegionNormLearnable,
    Statistics,
)
from regionwise.layers.region_norm_variants import RegionNormDistance, RegionNormSoft
from regionwise.models.network import InpaintingNetwork
from regionwise.models.options import check_option
from regionwise.models.prediction import Prediction
from regionwise.models.rn.card import ARCHITECTURES, RnNorm

Decoder = Literal["pixel_shuffle", "transposed"]
RnReading = Literal["ours", "paper", "released"]


@dataclass(frozen=True)
class _Points:
    """Where paper and released code differ."""

    decoder: Decoder
    statistics: Statistics
    affine: Affine
    eps_by_share: bool


READINGS: dict[RnReading, _Points] = {
    "ours": _Points("pixel_shuffle", "instance", "region", eps_by_share=True),
    "paper": _Points("transposed", "instance", "region", eps_by_share=False),
    "released": _Points("pixel_shuffle", "batch", "released", eps_by_share=True),
}
"""What each reading of the network sets; the bundled weights are of "ours"."""


class _PlainNorm(nn.Module):
    """Instance, batch or no normalisation, called like the region norms with a mask it ignores."""

    def __init__(self, norm: nn.Module) -> None:
        super().__init__()
        self.norm = norm

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        normalized: Tensor = self.norm(x)
        return normalized


class _ResidualBlock(nn.Module):
    """Two 3×3 convolutions, dilation 2 then 1, each normalised; the input is added."""

    def __init__(self, channels: int, norm: Callable[[int], nn.Module]) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels, 3, padding=2, dilation=2, padding_mode="reflect")
        self.norm1 = norm(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1, padding_mode="reflect")
        self.norm2 = norm(channels)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        y: Tensor = F.relu_(self.norm1(self.conv1(x), mask))
        y = self.norm2(self.conv2(y), mask)
        return x + y


class RegionNormGenerator(InpaintingNetwork):
    """RN: one stage.

    Paper and released code differ in four points, and `reading` says whose network it is.

    Args:
        architecture: a row of the paper's Table 2 (`ARCHITECTURES`; 5 is the paper's proposal,
            0 the baseline), or the norms of encoder, residual blocks and decoder by name (`RnNorm`
            of the card): the paper's, others, and "soft" and "distance", which are ours, see
            `regionwise.layers.region_norm_variants`.
        width: channels of the first convolution, 64 in the paper; each halving of the size
            doubles them.
        downsamplings: halvings of the size in the encoder, 2 in the paper. With 3 the residual
            blocks see twice as far at a quarter of the cost.
        blocks: residual blocks, 8 in the paper.
        reading: "paper" is the network of the paper's text (10.8M parameters), "released" that of
            its authors' code (11.6M), whose answer for a photo depends on its batch. "ours" is
            neither: decoder and ε as released, statistics and affine maps as in the paper.
        decoder: "pixel_shuffle" as released, or "transposed", EdgeConnect's, as the paper's text;
            by `reading` if not given, as the next three.
        statistics, affine: the two readings of the norms, see `regionwise.layers.region_norm`.
        eps_by_share: ε divided by a region's share, as released, in place of eq. (10).
        threshold: t of RN-L (eq. 15).
        start: "white": the hole is painted white and the picture is predicted, as in the paper.
            "membrane": the hole is filled smoothly and a correction is predicted, in units of the
            known region's standard deviation (the norms remove a picture's contrast; this gives it
            back); the mask is a fourth input channel. It learns far more from little training.

    Shapes: image N×3×H×W in [0, 1], mask N×1×H×W (1 = missing), any H, W ≥ 1 (padded inside to
    multiples of the stride, 4 in the paper) → `Prediction` with one stage of N×3×H×W.

    Raises:
        ModelError: for an unknown option.
    """

    def __init__(
        self,
        architecture: int | tuple[RnNorm, RnNorm, RnNorm] = 5,
        *,
        width: int = 64,
        downsamplings: int = 2,
        blocks: int = 8,
        reading: RnReading = "ours",
        decoder: Decoder | None = None,
        statistics: Statistics | None = None,
        affine: Affine | None = None,
        eps_by_share: bool | None = None,
        threshold: float = 0.8,
        start: WhiteStart = "white",
    ) -> None:
        super().__init__()
        check_option("rn", "reading", reading, READINGS)
        points = READINGS[reading]
        decoder = decoder or points.decoder
        statistics = statistics or points.statistics
        affine = affine or points.affine
        eps_by_share = points.eps_by_share if eps_by_share is None else eps_by_share
        for name, value, allowed in (
            ("decoder", decoder, ("pixel_shuffle", "transposed")),
            ("statistics", statistics, ("instance", "batch", "layer", "group")),
            ("affine", affine, ("region", "released")),
            ("start", start, ("white", "membrane")),
        ):
            check_option("rn", name, value, allowed)
        if isinstance(architecture, int):
            check_option("rn", "architecture", architecture, ARCHITECTURES)
        norms = ARCHITECTURES[architecture] if isinstance(architecture, int) else architecture

        def norm_factory(kind: RnNorm) -> Callable[[int], nn.Module]:
            return {
                "basic": lambda c: RegionNormBasic(
                    c, statistics=statistics, affine=affine, eps_by_share=eps_by_share
                ),
                "learnable": lambda c: RegionNormLearnable(
                    c, threshold=threshold, statistics=statistics, eps_by_share=eps_by_share
                ),
                "soft": RegionNormSoft,
                "distance": RegionNormDistance,
                "instance": lambda c: _PlainNorm(nn.InstanceNorm2d(c)),
                "batch": lambda c: _PlainNorm(nn.BatchNorm2d(c)),
                "none": lambda c: _PlainNorm(nn.Identity()),
            }[kind]

        encoder_norm, middle_norm, decoder_norm = map(norm_factory, norms)
        self.start = start
        widths = [width * 2**level for level in range(downsamplings + 1)]
        self.stride = 2**downsamplings
        first = nn.Conv2d(3 if start == "white" else 4, width, 7, padding=3, padding_mode="reflect")
        halvings = (nn.Conv2d(c, 2 * c, 4, stride=2, padding=1) for c in widths[:-1])
        self.encoder = nn.ModuleList([first, *halvings])
        self.encoder_norms = nn.ModuleList(map(encoder_norm, widths))
        self.middle = nn.ModuleList(_ResidualBlock(widths[-1], middle_norm) for _ in range(blocks))
        self.decoder = nn.ModuleList(_upsampling(c, decoder) for c in reversed(widths[1:]))
        self.decoder_norms = nn.ModuleList(map(decoder_norm, reversed(widths[:-1])))
        self.last = PictureHead(width)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Kaiming normal × 0.1 as released; biases 0 (released by a slip: deviation 1)."""
        for module in self.modules():
            if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
                nn.init.kaiming_normal_(module.weight)
                module.weight.data.mul_(0.1)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)

    def forward(self, image: Tensor, mask: Tensor) -> Prediction:
        """Fill the hole; see the class for shapes."""
        height, width = image.shape[-2:]
        image, mask = (pad_to_multiple(x, self.stride, least=4) for x in (image, mask))
        if self.start == "white":
            features = torch.where(mask > 0.5, torch.ones_like(image), image)
            answer = (self._network(features, mask).tanh() + 1) / 2
            return Prediction([crop(answer, height, width)])
        start = membrane_start(image, mask)
        correction = self._network(torch.cat([start.picture * 2 - 1, mask], dim=1), mask)
        answer = crop(corrected(start.picture, correction, start.unit), height, width)
        return Prediction([answer if self.training else answer.clamp(0, 1)])

    def _network(self, x: Tensor, mask: Tensor) -> Tensor:
        if not torch.compiler.is_compiling():  # a compiler chooses its own layout
            x = x.contiguous(memory_format=torch.channels_last)
        for conv, norm in zip(self.encoder, self.encoder_norms, strict=True):
            x = F.relu_(norm(conv(x), mask))
        for block in self.middle:
            x = block(x, mask)
        for upsampling, norm in zip(self.decoder, self.decoder_norms, strict=True):
            x = F.relu_(norm(upsampling(x), mask))
        last: Tensor = self.last(x)
        return last


def _upsampling(channels: int, kind: Decoder) -> nn.Module:
    """Twice the size at half the channels."""
    if kind == "transposed":
        return nn.ConvTranspose2d(channels, channels // 2, 4, stride=2, padding=1)
    return nn.Sequential(nn.Conv2d(channels, 2 * channels, 3, padding=1), nn.PixelShuffle(2))
