"""LaMa: "Resolution-robust Large Mask Inpainting with Fourier Convolutions" (Suvorov et al. 2022).

A ResNet-like generator of fast Fourier convolutions, each of which sees the whole picture.
"""

from __future__ import annotations

from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from regionwise.layers.folding import fold_scale
from regionwise.layers.fourier_conv import FourierConv, Maps
from regionwise.layers.padding import crop, pad_to_multiple
from regionwise.layers.picture_head import PictureHead
from regionwise.models.network import InpaintingNetwork
from regionwise.models.prediction import Prediction


class FourierConvGenerator(InpaintingNetwork):
    """LaMa-Fourier: 51.0M parameters with 18 blocks ("Big LaMa"), 27.0M with 9.

    `recipes/lama.yaml` is its training.

    Args:
        width: channels of the first convolution, 64 in the paper; a halving of the size doubles
            them.
        blocks: residual blocks, 18 in the released big network, 9 in the regular one.

    Shapes: image N×3×H×W in [0, 1], mask N×1×H×W (1 = missing), any H, W ≥ 1 (mirrored inside to
    multiples of 8, as the released program does) → `Prediction` with one stage of N×3×H×W.
    """

    def __init__(self, *, width: int = 64, blocks: int = 18) -> None:
        super().__init__()
        c, deepest = width, (2 * width, 6 * width)  # three quarters are global
        self.encoder = nn.Sequential(
            FourierConv((4, 0), (c, 0), 7),
            FourierConv((c, 0), (2 * c, 0), 3, stride=2),
            FourierConv((2 * c, 0), (4 * c, 0), 3, stride=2),
            FourierConv((4 * c, 0), deepest, 3, stride=2),
        )
        self.middle = nn.Sequential(*(_ResidualBlock(deepest) for _ in range(blocks)))
        self.decoder = nn.Sequential(*(_Up(a, b) for a, b in pairwise((8 * c, 4 * c, 2 * c, c))))
        self.last = PictureHead(c)

    def forward(self, image: Tensor, mask: Tensor) -> Prediction:
        """Fill the hole; see the class for shapes."""
        height, width = image.shape[-2:]
        hole = (mask > 0.5).to(image.dtype)
        seen = torch.cat([torch.where(hole > 0, torch.zeros_like(image), image), hole], dim=1)
        seen = pad_to_multiple(seen, 8, least=2, mode="symmetric")
        local, distant = self.middle(self.encoder((seen, None)))
        features = self.decoder(torch.cat([local, distant], dim=1))
        return Prediction([crop(torch.sigmoid(self.last(features)), height, width)])

    def fold_norms(self) -> None:
        """Move what the normalisations multiply by into the convolutions, in place."""
        for module in self.modules():
            if isinstance(module, FourierConv | _Up):
                module.fold_norms()


class _ResidualBlock(nn.Module):
    """Two fast Fourier convolutions; the input is added."""

    def __init__(self, channels: tuple[int, int]) -> None:
        super().__init__()
        self.conv1 = FourierConv(channels, channels, 3)
        self.conv2 = FourierConv(channels, channels, 3)

    def forward(self, maps: Maps) -> Maps:
        local, distant = self.conv2(self.conv1(maps))
        assert maps[1] is not None
        return maps[0] + local, maps[1] + distant


class _Up(nn.Module):
    """A transposed convolution to twice the size, normalised and activated."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.conv = nn.ConvTranspose2d(inputs, outputs, 3, stride=2, padding=1, output_padding=1)
        self.norm = nn.BatchNorm2d(outputs)

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(self.norm(self.conv(x)))

    def fold_norms(self) -> None:
        """See `regionwise.layers.folding`."""
        fold_scale(self.norm, self.conv)
