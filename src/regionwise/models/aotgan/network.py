"""AOT-GAN: "Aggregated Contextual Transformations for High-Resolution Image Inpainting".

Zeng et al., TVCG 2022: blocks that look at four distances at once and gate their residual.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from regionwise.layers.bilinear import doubled
from regionwise.layers.padding import crop, pad_to_multiple
from regionwise.models.network import InpaintingNetwork
from regionwise.models.prediction import Prediction

_DILATIONS = (1, 2, 4, 8)


class AggregatedTransformGenerator(InpaintingNetwork):
    """AOT-GAN: 15.2M parameters.

    `recipes/aotgan.yaml` is its training.

    Args:
        width: channels of the first convolution, 64 in the paper.
        blocks: AOT blocks, 8 in the paper.

    Shapes: image N×3×H×W in [0, 1], mask N×1×H×W (1 = missing), any H, W ≥ 1 (padded inside to
    multiples of 4) → `Prediction` with one stage of N×3×H×W.
    """

    def __init__(self, *, width: int = 64, blocks: int = 8) -> None:
        super().__init__()
        c = width
        self.encoder = nn.ModuleList(
            [
                nn.Conv2d(4, c, 7, padding=3, padding_mode="reflect"),
                nn.Conv2d(c, 2 * c, 4, stride=2, padding=1),
                nn.Conv2d(2 * c, 4 * c, 4, stride=2, padding=1),
            ]
        )
        self.middle = nn.Sequential(*(_Block(4 * c) for _ in range(blocks)))
        self.decoder = nn.ModuleList(
            [nn.Conv2d(4 * c, 2 * c, 3, padding=1), nn.Conv2d(2 * c, c, 3, padding=1)]
        )
        self.last = nn.Conv2d(c, 3, 3, padding=1)

    def forward(self, image: Tensor, mask: Tensor) -> Prediction:
        """Fill the hole; see the class for shapes."""
        height, width = image.shape[-2:]
        hole = (mask > 0.5).to(image.dtype)
        seen = torch.where(hole > 0, torch.ones_like(image), image * 2 - 1)
        x = self.encode(pad_to_multiple(torch.cat([seen, hole], dim=1), 4, least=9))
        x = self.middle(x)
        for convolution in self.decoder:
            x = F.relu(convolution(doubled(x)))
        answer = (torch.tanh(self.last(x)) + 1) / 2
        return Prediction([crop(answer, height, width)])

    def encode(self, x: Tensor) -> Tensor:
        """Features at 1/4 of the size of picture and mask, N×4×H×W."""
        for convolution in self.encoder:
            x = F.relu(convolution(x))
        return x


class _Block(nn.Module):
    """Four dilated convolutions, fused; a gate chooses between the result and the input (3.1)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.branches = nn.ModuleList(
            nn.Conv2d(channels, channels // 4, 3, padding=d, dilation=d, padding_mode="reflect")
            for d in _DILATIONS
        )
        self.fuse = nn.Conv2d(channels, channels, 3, padding=1, padding_mode="reflect")
        self.gate = nn.Conv2d(channels, channels, 3, padding=1, padding_mode="reflect")

    def forward(self, x: Tensor) -> Tensor:
        seen = self.fuse(torch.cat([F.relu(branch(x)) for branch in self.branches], dim=1))
        gate = torch.sigmoid(_spread(self.gate(x)))
        y: Tensor = x * (1 - gate) + seen * gate
        return y


def _spread(x: Tensor) -> Tensor:
    """Each map to mean -5 and deviation 10, as released."""
    centred = x - x.mean(dim=(2, 3), keepdim=True)
    return 5 * (2 * centred / (x.std(dim=(2, 3), keepdim=True) + 1e-9) - 1)
