"""PEN-Net: "Learning Pyramid-Context Encoder Network for High-Quality Image Inpainting".

Zeng et al., CVPR 2019: each level of the encoder is rebuilt by an attention found on the level
below it, so that the hole is filled from deep to shallow; a picture is made at each size.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from regionwise.layers.bilinear import doubled, resized
from regionwise.layers.contextual_attention import ContextualAttention, available_patches
from regionwise.layers.padding import crop, pad_to_multiple
from regionwise.models.network import InpaintingNetwork
from regionwise.models.prediction import Prediction

_LEVELS = 6
_DILATIONS = (1, 2, 4, 8)


class PyramidContextGenerator(InpaintingNetwork):
    """PEN-Net: 10.2M parameters.

    Training as published: hole 6, valid 1 (each by its share), pyramid 0.5, hinge 0.1 on the
    composed picture; Adam(0.5, 0.999), lr 1e-4, × 0.1 after 100k steps, batch 16.

    Args:
        width: channels of the first level, 32 in the paper; a level doubles them up to 16·width.

    Shapes: image N×3×H×W in [0, 1], mask N×1×H×W (1 = missing), any H, W ≥ 1 (padded inside to
    multiples of 64; the padding counts as missing) → `Prediction` with six stages of N×3×H×W: the
    pictures of 1/32 to 1/2 of the size, enlarged, and the answer.
    """

    def __init__(self, *, width: int = 32) -> None:
        super().__init__()
        widths = [min(16 * width, width * 2**level) for level in range(_LEVELS)]
        self.encoder = nn.ModuleList(
            nn.Conv2d(a, b, 3, stride=2, padding=1)
            for a, b in zip([4, *widths[:-1]], widths, strict=True)
        )
        self.context = nn.ModuleList(
            nn.ModuleList(nn.Conv2d(c, c // 4, 3, padding=d, dilation=d) for d in _DILATIONS)
            for c in widths[:4]
        )
        self.attentions = nn.ModuleList(
            ContextualAttention(patch=1 if level == _LEVELS - 2 else 3, fuse=False, floor=1e-8)
            for level in range(_LEVELS - 1)
        )
        self.decoder = nn.ModuleList(
            nn.Conv2d(a, b, 3, padding=1)
            for a, b in zip(
                [widths[5], *(2 * c for c in widths[4:0:-1])], widths[4::-1], strict=True
            )
        )
        self.pictures = nn.ModuleList(nn.Conv2d(2 * c, 3, 1) for c in widths[4::-1])
        self.last = nn.Sequential(
            nn.Conv2d(2 * width, width, 3, padding=1),
            nn.ReLU(inplace=True),
            nn.Conv2d(width, 3, 3, padding=1),
        )
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, a=0.2)
                assert module.bias is not None
                nn.init.zeros_(module.bias)

    def forward(self, image: Tensor, mask: Tensor) -> Prediction:
        """Fill the hole; see the class for shapes."""
        height, width = image.shape[-2:]
        hole = (mask > 0.5).to(image.dtype)
        seen = torch.where(hole > 0, torch.ones_like(image), image * 2 - 1)
        seen, hole = (
            pad_to_multiple(x, 2**_LEVELS, mode="constant", value=1.0) for x in (seen, hole)
        )
        pictures = self.pyramid(torch.cat([seen, hole], dim=1), hole)
        sizes = seen.shape[-2:]
        enlarged = [F.interpolate(p, size=sizes, mode="bilinear") for p in pictures[:-1]]
        stages = [crop((p + 1) / 2, height, width) for p in (*enlarged, pictures[-1])]
        return Prediction(stages)

    def pyramid(self, x: Tensor, mask: Tensor) -> list[Tensor]:
        """The pictures of each size in [-1, 1], that of 1/32 first.

        Args:
            x: N×4×H×W, picture in [-1, 1] with 1 in the hole, and mask; H, W multiples of 64.
            mask: N×1×H×W of 0 and 1.
        """
        encoded = []
        for level, convolution in enumerate(self.encoder):
            x = convolution(x)
            x = F.relu(x) if level == _LEVELS - 1 else F.leaky_relu(x, 0.2)
            encoded.append(x)
        attended = x
        rebuilt = []
        for level in range(_LEVELS - 2, -1, -1):
            attended = self._attention(encoded[level], attended, mask, level)
            rebuilt.append(attended)
        pictures = []
        for convolution, to_picture, context in zip(
            self.decoder, self.pictures, rebuilt, strict=True
        ):
            x = torch.cat([F.relu(convolution(doubled(x))), context], dim=1)
            pictures.append(torch.tanh(to_picture(x)))
        return [*pictures, torch.tanh(self.last(doubled(x)))]

    def _attention(self, values: Tensor, guide: Tensor, mask: Tensor, level: int) -> Tensor:
        """A level rebuilt by the attention of the deeper one."""
        attention = self.attentions[level]
        assert isinstance(attention, ContextualAttention)
        patch = attention.patch
        small = resized(mask, guide)
        usable = available_patches((small > 0).to(mask.dtype), patch)
        y: Tensor = attention(guide, values, usable)
        if patch == 1:
            return y
        branches: nn.Module = self.context[level]
        return torch.cat([F.relu(branch(y)) for branch in branches.children()], dim=1)
