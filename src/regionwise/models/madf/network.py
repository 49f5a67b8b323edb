"""MADF: "Image Inpainting by End-to-End Cascaded Refinement with Mask Awareness" (Zhu et al. 2021).

An encoder that filters each window by what the mask holds there, a recovery decoder that fills the
hole roughly, and refinement decoders beside it, each normalised by what the one before made. Where
the paper leaves something open, or its code does another thing, this is the released network: no
normalisation in the encoder, ReLU after the recovery decoder's 3×3 convolutions.
"""

from __future__ import annotations

import copy
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils import convert_conv2d_weight_memory_format
from torch.nn.utils.fusion import fuse_conv_bn_eval

from regionwise.errors import ModelError
from regionwise.layers.back_projection import BackProjection
from regionwise.layers.bilinear import resized
from regionwise.layers.gated_conv import GatedConv
from regionwise.layers.imagenet import MEAN, STD
from regionwise.layers.mask_aware_filter import MaskAwareFilter, filter_by_features
from regionwise.layers.membrane_start import MeanStart, corrected, membrane_start
from regionwise.layers.padding import crop, pad_to_multiple
from regionwise.layers.partial_conv import PartialConv
from regionwise.layers.pointwise_norm import PointwiseNorm
from regionwise.layers.self_attention import SelfAttention
from regionwise.models.madf.card import Encoder, MadfNorm
from regionwise.models.network import InpaintingNetwork
from regionwise.models.options import check_option
from regionwise.models.prediction import Prediction, compose

_ATTENDED = (1, 2, 3)
"""Levels with attention, from 0 on: 1/4, 1/8 and 1/16 of the size."""

_KERNELS = (7, 5, 3)
"""Of the encoder's first levels (Figure 3); the last one serves all deeper levels."""


class _GatedLevel(GatedConv):
    """A gated convolution called like the mask-aware layers; it reads the mask from its input."""

    def forward(self, x: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:  # type: ignore[override]
        return super().forward(x), mask


class _FirstFilter(MaskAwareFilter):
    """The first level: its last three inputs are one and the same, so their weights are added up.

    The same holds for all three mask features. It does a third less than the released formulation.
    """

    def forward(self, x: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        weight = torch.cat([self.weight[:, :3], self.weight[:, 3:].sum(dim=1, keepdim=True)], dim=1)
        conv = self.mask_conv
        features = F.conv2d(
            mask, conv.weight.sum(dim=1, keepdim=True), conv.bias, self.stride, self.padding
        )
        features = F.relu(features)
        known = torch.cat([x[:, :3], mask], dim=1)
        y = filter_by_features(known, features, weight, stride=self.stride, padding=self.padding)
        return y, features

    def multiply_accumulates(
        self, inputs: tuple[Tensor, ...], output: tuple[Tensor, Tensor]
    ) -> int:
        """With the convolution over the mask, which is called as a function here."""
        windows = output[0].shape[-2:].numel()
        return super().multiply_accumulates(inputs, output) + (
            windows * self.mask_conv.weight.numel()
        )


class _Encoder(nn.Module):
    """Levels of stride 2 on few channels; each is widened by a 1×1 convolution for the decoders.

    Shapes: x N×6×H×W, mask N×1×H×W → for each level l = 1…L, N×C_l×H/2^l×W/2^l.
    """

    def __init__(self, kind: Encoder, narrow: list[int], wide: list[int]) -> None:
        super().__init__()
        self.kind = kind
        self.levels, self.widen = nn.ModuleList(), nn.ModuleList()
        channels = 6
        for level, out in enumerate(narrow):
            kernel = _KERNELS[min(level, len(_KERNELS) - 1)]
            if kind in ("mask_aware", "gated_mask_aware"):
                # The filters start from validity in three equal channels, as the released ones do.
                kind_of_filter, mask_channels = (
                    (MaskAwareFilter, 16) if level else (_FirstFilter, 3)
                )
                made = out if kind == "mask_aware" else 2 * out  # with its gate
                layer: nn.Module = kind_of_filter(
                    channels, made, kernel, mask_channels=mask_channels, stride=2
                )
            elif kind == "partial":
                layer = PartialConv(channels, out, kernel, stride=2)
            else:
                layer = _GatedLevel(channels, out, kernel, stride=2, activation=F.relu)
            self.levels.append(layer)
            self.widen.append(nn.Conv2d(out, wide[level], 1))
            channels = out

    def forward(self, x: Tensor, mask: Tensor) -> list[Tensor]:
        mask_features = 1 - mask if "mask_aware" in self.kind else mask
        wide = []
        for level, widen in zip(self.levels, self.widen, strict=True):
            x, mask_features = level(x, mask_features)
            if self.kind == "gated_mask_aware":
                x, gate = x.chunk(2, dim=1)
                x = F.relu(x) * torch.sigmoid(gate)
            else:
                x = F.relu(x, inplace=True)
            wide.append(F.relu(widen(x), inplace=True))
        return wide


class _RecoveryStep(nn.Module):
    """Twice the size, then fused with the encoder's feature of that level (Figure 2e)."""

    def __init__(self, channels: int, out: int) -> None:
        super().__init__()
        self.up = nn.ConvTranspose2d(channels, out, 4, stride=2, padding=1)
        self.norm: nn.Module = nn.BatchNorm2d(out)
        self.fuse = nn.Conv2d(2 * out, out, 3, padding=1)

    def forward(self, x: Tensor, encoded: Tensor) -> Tensor:
        decoded = F.leaky_relu(self.norm(self.up(x)), 0.2, inplace=True)
        return F.relu(self.fuse(torch.cat([encoded, decoded], dim=1)), inplace=True)


class _RefinementStep(nn.Module):
    """Twice the size, normalised by the feature of that level of the decoder before (Figure 2f).

    With batch normalisation instead (rows of Table II without PN) nothing else takes in that
    feature: the paper does not say what would.
    """

    def __init__(self, channels: int, out: int, norm: MadfNorm, hidden: int) -> None:
        super().__init__()
        self.up = nn.ConvTranspose2d(channels, out, 4, stride=2, padding=1)
        self.norm: nn.Module = (
            PointwiseNorm(out, out, hidden) if norm == "pointwise" else nn.BatchNorm2d(out)
        )

    def forward(self, x: Tensor, previous: Tensor) -> Tensor:
        x = self.up(x)
        pointwise = isinstance(self.norm, PointwiseNorm)
        x = self.norm(x, previous) if pointwise else self.norm(x)
        return F.leaky_relu(x, 0.2, inplace=True)


class RefinementDecoder(nn.Module):
    """One cascade step: all levels, then a 1×1 convolution over everything made so far.

    The last step's input is [own features upsampled, pictures of all decoders before, network
    input]. A 1×1 convolution and bilinear upsampling commute, so the features' part of it is taken
    at half the size.
    """

    def __init__(self, wide: list[int], norm: MadfNorm, hidden: int, pictures: int) -> None:
        super().__init__()
        steps = zip(wide[:0:-1], wide[-2::-1], strict=True)
        self.steps = nn.ModuleList(_RefinementStep(a, b, norm, hidden) for a, b in steps)
        self.last = nn.Conv2d(wide[0] + 3 * pictures + 6, 3, 1)

    def forward(
        self, x: Tensor, previous: list[Tensor], pictures: list[Tensor], inputs: Tensor
    ) -> tuple[Tensor, list[Tensor]]:
        """Give the picture, and the features of all levels for the next decoder."""
        features = []
        for step, condition in zip(self.steps, previous, strict=True):
            x = step(x, condition)
            features.append(x)
        own, others = self.last.weight[:, : x.shape[1]], self.last.weight[:, x.shape[1] :]
        picture = F.interpolate(F.conv2d(x, own), size=inputs.shape[-2:], mode="bilinear")
        known = torch.cat([*pictures, inputs], dim=1)
        return picture + F.conv2d(known, others, self.last.bias), features

    def multiply_accumulates(
        self, inputs: tuple[Any, ...], output: tuple[Tensor, list[Tensor]]
    ) -> int:
        """The last 1×1 convolution, over everything at full size."""
        return output[0].numel() * self.last.in_channels


class CascadedRefinementGenerator(InpaintingNetwork):
    """MADF: one encoder, a recovery decoder and K refinement decoders; 85.1M parameters at K = 2.

    Args:
        refinements: K, 0 to 3; 2 in the paper. With K decoders there are K + 1 stages.
        encoder: "mask_aware" (MADF), "partial" or "gated" convolution; "gated_mask_aware", which is
            ours: the mask makes a second filter for each window, whose answer gates the first's.
        norm: of the refinement decoders: "pointwise" (PN) or "batch".
        width: channels of the first level for the decoders, 64 in the paper: a level doubles them
            up to 8·width. The encoder's own go from width/4 to 2·width.
        levels: halvings of the size, 7 in the paper.
        attention: DeepGIN's multi-scale self-attention on what the encoder hands to the decoders at
            1/4, 1/8 and 1/16 of the size; ours. It begins with no effect.
        back_projection: DeepGIN's back projection: the last decoder also predicts the picture at
            1/4 of the size, into line with which its answer is brought; ours.
        start: "mean": the hole is zero after ImageNet normalisation and the picture is predicted,
            as in the paper. "membrane": the hole is filled smoothly and each decoder predicts a
            correction, in units of the known region's standard deviation.

    Shapes: image N×3×H×W in [0, 1], mask N×1×H×W (1 = missing), any H, W ≥ 1 (padded inside to
    multiples of 2^levels; the padding counts as missing) → `Prediction` of K + 1 stages N×3×H×W
    and, with back projection, `low_resolution` of N×3×⌈H/4⌉×⌈W/4⌉.

    Raises:
        ModelError: for an option out of its range.
    """

    def __init__(
        self,
        refinements: int = 2,
        *,
        encoder: Encoder = "mask_aware",
        norm: MadfNorm = "pointwise",
        width: int = 64,
        levels: int = 7,
        start: MeanStart = "mean",
        attention: bool = False,
        back_projection: bool = False,
    ) -> None:
        super().__init__()
        _check_options(refinements, encoder, norm, width, levels, start)
        self.start = start
        self.stride = 2**levels
        wide = [min(8 * width, width * 2**level) for level in range(levels)]
        narrow = [min(2 * width, width // 4 * 2**level) for level in range(levels)]
        self.encoder = _Encoder(encoder, narrow, wide)
        steps = zip(wide[:0:-1], wide[-2::-1], strict=True)
        self.recovery = nn.ModuleList(_RecoveryStep(a, b) for a, b in steps)
        self.recovery_up = nn.ConvTranspose2d(wide[0], 3, 4, stride=2, padding=1)
        self.recovery_last = nn.Conv2d(9, 3, 3, padding=1)
        self.refinements = nn.ModuleList(
            RefinementDecoder(wide, norm, 2 * width, number + 1) for number in range(refinements)
        )
        at = [level for level in _ATTENDED if attention and level < levels]
        self.attentions = nn.ModuleDict({str(level): SelfAttention(wide[level]) for level in at})
        self.low_resolution: nn.Conv2d | None = None
        self.back_projection: BackProjection | None = None
        if back_projection:
            self.low_resolution = nn.Conv2d(wide[1], 3, 3, padding=1)
            self.back_projection = BackProjection(wide[0])
        self.mean: Tensor
        self.deviation: Tensor
        self.register_buffer("mean", torch.tensor(MEAN).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("deviation", torch.tensor(STD).view(1, 3, 1, 1), persistent=False)
        self.reset_parameters()
        # Most weights serve a few pixels only: putting them in order would cost more than the sums.
        convert_conv2d_weight_memory_format(self, torch.channels_last)

    def reset_parameters(self) -> None:
        """Kaiming normal, the pictures' layers × 0.1, biases 0.

        The paper draws all weights with variance 0.01, which does not keep the features' scale.
        """
        for module in self.modules():
            if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
                # A quarter of a transposed convolution's 4×4 weights meet in a pixel.
                transposed = isinstance(module, nn.ConvTranspose2d)
                fan = module.weight[:, 0].numel() / 4 if transposed else module.weight[0].numel()
                nn.init.normal_(module.weight, std=(2 / fan) ** 0.5)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)
            elif isinstance(module, MaskAwareFilter):
                module.reset_parameters()
        lasts = [decoder.last for decoder in self.refinements]
        norms = [m.affine for m in self.modules() if isinstance(m, PointwiseNorm)]
        if self.low_resolution is not None:
            lasts.append(self.low_resolution)
        for layer in (self.recovery_last, *lasts, *norms):
            layer.weight.data.mul_(0.1)  # type: ignore[operator, union-attr]
        for attention in self.attentions.values():
            assert isinstance(attention, SelfAttention)
            nn.init.zeros_(attention.output.weight)

    def forward(self, image: Tensor, mask: Tensor) -> Prediction:
        """Fill the hole; see the class for shapes."""
        height, width = image.shape[-2:]
        mask = (mask > 0.5).to(image.dtype)
        if self.start == "membrane":
            start, unit = membrane_start(image, mask)
            offset = start
            normalized = pad_to_multiple((start - self.mean) / self.deviation, self.stride)
        else:
            start, unit = torch.where(mask > 0, self.mean, image), self.deviation
            offset = self.mean
            normalized = (start - self.mean) / self.deviation
            normalized = pad_to_multiple(normalized, self.stride, mode="constant", value=0.0)
        mask = pad_to_multiple(mask, self.stride, mode="constant", value=1.0)
        inputs = torch.cat([normalized, *3 * [1 - mask]], dim=1)
        inputs = inputs.contiguous(memory_format=torch.channels_last)
        pictures, features = self._decoded(inputs, mask)
        stages = [corrected(offset, crop(picture, height, width), unit) for picture in pictures]
        low_resolution = None
        if self.back_projection is not None and self.low_resolution is not None:
            low_resolution = self.low_resolution(features[-2])
            low_resolution = crop(low_resolution, -(-height // 4), -(-width // 4))
            small = offset if self.start == "mean" else resized(offset, low_resolution)
            low_resolution = corrected(small, low_resolution, unit)
            last = F.interpolate(features[-1], scale_factor=2.0, mode="bilinear")
            answer = compose(image, crop(mask, height, width), stages[-1])
            stages[-1] = self.back_projection(answer, low_resolution, crop(last, height, width))
        if self.training:
            return Prediction(stages, low_resolution)
        if low_resolution is not None:
            low_resolution = low_resolution.clamp(0, 1)
        return Prediction([stage.clamp(0, 1) for stage in stages], low_resolution)

    def pictures(self, inputs: Tensor, mask: Tensor) -> list[Tensor]:
        """What each decoder predicts, in the network's own range.

        Args:
            inputs: N×6×H×W, the ImageNet-normalised picture and three times its validity; H and W
                multiples of 2^levels.
            mask: N×1×H×W of 0 and 1.

        Returns:
            Coarse first, each N×3×H×W.
        """
        return self._decoded(inputs, mask)[0]

    def _decoded(self, inputs: Tensor, mask: Tensor) -> tuple[list[Tensor], list[Tensor]]:
        """The pictures, and the last decoder's features at all its levels, coarse first."""
        encoded = self.encoder(inputs, mask)
        for level, attention in self.attentions.items():
            encoded[int(level)] = attention(encoded[int(level)])
        deepest = x = encoded.pop()
        previous = []
        for step in self.recovery:
            x = step(x, encoded.pop())
            previous.append(x)
        joined = torch.cat([inputs, self.recovery_up(x)], dim=1)
        pictures: list[Tensor] = [self.recovery_last(joined)]
        for decoder in self.refinements:
            picture, previous = decoder(deepest, previous, pictures, inputs)
            pictures.append(picture)
        return pictures, previous

    def fold_norms(self) -> None:
        """Move what batch normalisations do in eval mode into the convolutions before them.

        They stay where they are and leave everything as it is, so the weights keep their names.
        """
        for step, home in self._normalized():
            norm = home.norm
            step.up = fuse_conv_bn_eval(step.up.eval(), norm.eval(), transpose=True)
            norm.reset_parameters()
            norm.running_var.fill_(1 - norm.eps)

    def folded(self) -> CascadedRefinementGenerator:
        """A copy for inference alone, in eval mode and without batch normalisations."""
        network = copy.deepcopy(self).eval()
        network.fold_norms()
        for _, home in network._normalized():
            home.norm = nn.Identity()
        return network

    def _normalized(self) -> list[tuple[Any, Any]]:
        """Steps whose output is batch-normalised, each with the module whose `norm` does it."""
        steps = [m for m in self.modules() if isinstance(m, _RecoveryStep | _RefinementStep)]
        pairs = [(m, m.norm if isinstance(m.norm, PointwiseNorm) else m) for m in steps]
        return [(m, home) for m, home in pairs if isinstance(home.norm, nn.BatchNorm2d)]


def _check_options(
    refinements: int, encoder: str, norm: str, width: int, levels: int, start: str
) -> None:
    for name, value, allowed in (
        ("refinements", refinements, (0, 1, 2, 3)),
        ("encoder", encoder, ("mask_aware", "partial", "gated", "gated_mask_aware")),
        ("norm", norm, ("pointwise", "batch")),
        ("levels", levels, tuple(range(2, 9))),
        ("start", start, ("mean", "membrane")),
    ):
        check_option("madf", name, value, allowed)
    if width < 4 or width % 4:
        raise ModelError(f"madf: width={width!r} is not a positive multiple of 4")
