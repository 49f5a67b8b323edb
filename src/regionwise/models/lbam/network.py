"""LBAM: "Image Inpainting with Learnable Bidirectional Attention Maps" (Xie et al., ICCV 2019).

A U-Net whose encoder is weighed by maps learnt from the known region, whose decoder by maps learnt
from the hole.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from regionwise.errors import ModelError
from regionwise.layers.attention_map import AsymmetricGaussian, AttendedConv, AttentionMap
from regionwise.layers.padding import crop, pad_to_multiple
from regionwise.models.network import InpaintingNetwork
from regionwise.models.prediction import Prediction


class BidirectionalAttentionGenerator(InpaintingNetwork):
    """LBAM: 68.3M parameters, no bias and no normalisation, as released.

    Training as published: hole 6, valid 1, perceptual 0.01, style 120, adversarial 0.1; Adam(0.5,
    0.9), lr 1e-4, batch 16.

    Args:
        width: channels of the first level, 64 in the paper; a level doubles them up to 8·width.
        levels: halvings of the size, 7 in the paper.

    Shapes: image N×3×H×W in [0, 1], mask N×1×H×W (1 = missing), any H, W ≥ 1 (padded inside to
    multiples of 2^levels; the padding counts as missing) → `Prediction` with one stage N×3×H×W.

    Raises:
        ModelError: for levels out of range.
    """

    def __init__(self, *, width: int = 64, levels: int = 7) -> None:
        super().__init__()
        if levels not in range(2, 10):
            raise ModelError(f"lbam: levels={levels!r} is not one of 2 to 9")
        self.stride = 2**levels
        widths = [min(8 * width, width * 2**level) for level in range(levels)]
        self.encoder = nn.ModuleList(
            AttendedConv(a, b, m)
            for a, b, m in zip([4, *widths[:-1]], widths, [3, *widths[:-1]], strict=True)
        )
        self.reverse = nn.ModuleList(
            AttentionMap(m, b, AsymmetricGaussian(centre=1.0, fall=0.5))
            for m, b in zip([3, *widths[:-2]], widths[:-1], strict=True)
        )
        inputs = [widths[-1], *(2 * c for c in widths[-2::-1])]
        self.decoder = nn.ModuleList(
            nn.ConvTranspose2d(a, b, 4, stride=2, padding=1, bias=False)
            for a, b in zip(inputs, [*widths[-2::-1], 3], strict=True)
        )
        for module in self.modules():
            if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
                nn.init.kaiming_normal_(module.weight, a=0.2)

    def forward(self, image: Tensor, mask: Tensor) -> Prediction:
        """Fill the hole; see the class for shapes."""
        height, width = image.shape[-2:]
        hole = (mask > 0.5).to(image.dtype)
        known = torch.where(hole > 0, torch.zeros_like(image), image)
        hole = pad_to_multiple(hole, self.stride, mode="constant", value=1.0)
        known = pad_to_multiple(known, self.stride, mode="constant", value=0.0)
        picture = self._network(torch.cat([known, 1 - hole], dim=1), hole.expand(-1, 3, -1, -1))
        return Prediction([crop((torch.tanh(picture) + 1) / 2, height, width)])

    def _network(self, x: Tensor, hole: Tensor) -> Tensor:
        skips, forward_mask = [], 1 - hole
        for level in self.encoder:
            raw, x, weights, forward_mask = level(x, forward_mask)
            skips.append((raw, weights))
        skips.pop()
        backward = []
        for map_ in self.reverse:
            weights, hole = map_(hole)
            backward.append(weights)
        for convolution in self.decoder[:-1]:
            raw, weights = skips.pop()
            features = torch.cat([raw, convolution(x)], dim=1)
            x = F.leaky_relu(features * torch.cat([weights, backward.pop()], dim=1), 0.2)
        picture: Tensor = self.decoder[-1](x)
        return picture
