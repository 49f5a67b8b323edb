"""PConv U-Net: "Image Inpainting for Irregular Holes Using Partial Convolutions" (Liu et al. 2018).

A U-Net of partial convolutions: each sees the known pixels alone, and the hole shrinks from level
to level.
"""

from __future__ import annotations

from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from regionwise.errors import ModelError
from regionwise.layers.imagenet import MEAN, STD
from regionwise.layers.membrane_start import MeanStart, corrected, membrane_start
from regionwise.layers.padding import crop, pad_to_multiple
from regionwise.layers.partial_conv import PartialConv
from regionwise.layers.region_norm import RegionNormBasic, RegionNormLearnable, apply_norm
from regionwise.models.network import InpaintingNetwork
from regionwise.models.options import check_option
from regionwise.models.prediction import Prediction

PConvNorm = Literal["batch", "region"]


class PartialConvGenerator(InpaintingNetwork):
    """PConv U-Net: 25.8M parameters with 7 levels at width 64.

    Training as published: valid 1, hole 6, perceptual 0.05, style 120, total variation 0.1 (VGG16
    pool1-3); Adam, 2e-4, then 5e-5 with the encoder's batch normalisation held (`freeze_norms`),
    batch 16 (6 in the paper).

    Args:
        width: channels of the first level, 64 in the paper; a level doubles them up to 8·width.
        levels: halvings of the size: 8 in the paper, for 512 px; 7 in the known weights, for 256.
        norm: "batch" as published; "region": RN-PC of the Region Normalization paper's section 4.5,
            RN-B in the encoder, RN-L in the decoder.
        start: "mean": the picture is predicted, as in the paper. "membrane": a correction to a
            smooth fill, in units of the known region's standard deviation.

    Shapes: image N×3×H×W in [0, 1], mask N×1×H×W (1 = missing), any H, W ≥ 1 (padded inside to
    multiples of 2^levels; the padding counts as missing) → `Prediction` with one stage N×3×H×W.

    Raises:
        ModelError: for an option out of its range.
    """

    def __init__(
        self,
        *,
        width: int = 64,
        levels: int = 7,
        norm: PConvNorm = "batch",
        start: MeanStart = "mean",
    ) -> None:
        super().__init__()
        check_option("pconv", "norm", norm, ("batch", "region"))
        check_option("pconv", "start", start, ("mean", "membrane"))
        if levels not in range(2, 11):
            raise ModelError(f"pconv: levels={levels!r} is not one of 2 to 10")
        self.start = start
        self.stride = 2**levels
        widths = [3] + [min(8 * width, width * 2**level) for level in range(levels)]
        steps = zip(widths[1:], widths[:-1], strict=True)
        self.encoder = nn.ModuleList(
            _Level(skip, out, kernel=(7, 5, 5)[level] if level < 3 else 3, norm=norm)
            for level, (out, skip) in enumerate(steps)
        )
        steps = zip(widths[:0:-1], widths[-2::-1], strict=True)
        self.decoder = nn.ModuleList(_Step(c, skip, norm=norm) for c, skip in steps)
        self.mean: Tensor
        self.deviation: Tensor
        for name, values in (("mean", MEAN), ("deviation", STD)):
            self.register_buffer(name, torch.tensor(values).view(1, 3, 1, 1), persistent=False)

    def forward(self, image: Tensor, mask: Tensor) -> Prediction:
        """Fill the hole; see the class for shapes."""
        height, width = image.shape[-2:]
        mask = (mask > 0.5).to(image.dtype)
        seen = (image - self.mean) / self.deviation
        seen = pad_to_multiple(seen, self.stride)
        hole = pad_to_multiple(mask, self.stride, mode="constant", value=1.0)
        picture = crop(self.picture(seen, hole)[0], height, width)
        seen, unit = self.mean, self.deviation
        if self.start == "membrane":
            seen, unit = membrane_start(image, mask)
        answer = corrected(seen, picture, unit)
        return Prediction([answer if self.training else answer.clamp(0, 1)])

    def picture(self, x: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """What the U-Net predicts, and what is missing even then.

        Args:
            x: N×3×H×W, ImageNet-normalised; H and W multiples of 2^levels.
            mask: N×1×H×W of 0 and 1.

        Returns:
            N×3×H×W in the same range, and N×1×H×W.
        """
        hole, skips = mask, []
        for level in self.encoder:
            skips.append((x, mask))
            x, mask = level(x, mask, hole)
        for step in self.decoder:
            x, mask = step(x, mask, *skips.pop(), hole)
        return x, mask

    def freeze_norms(self) -> None:
        """Hold the encoder's running statistics, as in the second phase of training.

        `train()` lets them move again.
        """
        for module in self.encoder.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.eval()


class _Level(nn.Module):
    """A partial convolution of stride 2; the first one, from a picture, has no normalisation."""

    def __init__(self, channels: int, out: int, *, kernel: int, norm: PConvNorm) -> None:
        super().__init__()
        self.conv = PartialConv(channels, out, kernel, stride=2, bias=False)
        nn.init.kaiming_normal_(self.conv.conv.weight)
        self.norm: nn.Module = nn.Identity()
        if channels != 3:
            self.norm = nn.BatchNorm2d(out) if norm == "batch" else RegionNormBasic(out)

    def forward(self, x: Tensor, mask: Tensor, hole: Tensor) -> tuple[Tensor, Tensor]:
        x, mask = self.conv(x, mask)
        return F.relu(apply_norm(self.norm, x, hole)), mask


class _Step(nn.Module):
    """Twice the size, then a partial convolution with the skip; the last one gives the picture."""

    def __init__(self, channels: int, skip: int, *, norm: PConvNorm) -> None:
        super().__init__()
        self.last = skip == 3
        self.conv = PartialConv(channels + skip, skip, 3, bias=self.last, shares=(channels, skip))
        nn.init.kaiming_normal_(self.conv.conv.weight, a=0.2)
        self.norm: nn.Module = nn.Identity()
        if not self.last:
            self.norm = nn.BatchNorm2d(skip) if norm == "batch" else RegionNormLearnable(skip)

    def forward(
        self, x: Tensor, mask: Tensor, skip: Tensor, skip_mask: Tensor, hole: Tensor
    ) -> tuple[Tensor, Tensor]:
        x, mask = (F.interpolate(map_, scale_factor=2.0, mode="nearest") for map_ in (x, mask))
        x, mask = self.conv(torch.cat([x, skip], dim=1), torch.cat([mask, skip_mask], dim=1))
        if self.last:
            return x, mask
        return F.leaky_relu(apply_norm(self.norm, x, hole), 0.2), mask
