"""The two stages of DeepFill (Yu et al.), with contextual attention.

Version 1 is "Generative Image Inpainting with Contextual Attention" (CVPR 2018, CA in later
papers), version 2 "Free-Form Image Inpainting with Gated Convolution" (ICCV 2019, GC). A coarse
network fills the hole, then a refining one looks at its picture along two branches: one of dilated
convolutions, one in which the hole is rebuilt from patches of the known region.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from regionwise.layers.contextual_attention import (
    ContextualAttention,
    KeyNorm,
    available_patches,
)
from regionwise.layers.nearest import Nearest, doubled, halved
from regionwise.layers.padding import crop, pad_to_multiple
from regionwise.layers.region_norm import RegionNormBasic, RegionNormLearnable, apply_norm
from regionwise.models.network import InpaintingNetwork
from regionwise.models.options import check_option
from regionwise.models.prediction import Prediction

CoarseNorm = Literal["none", "region"]
Channels = Literal["rgb", "bgr"]
Activation = Literal["elu", "relu", "none"]


@dataclass(frozen=True)
class Graph:
    """What programs that share these networks' weights do in different ways.

    Attributes:
        same: a convolution of stride 2 pads the right and the bottom only, as TensorFlow's "SAME".
        nearest: how maps and masks are resized.
        fuse: whether the attention's scores are fused.
        key_norm: the length of its keys.
        mask_steps: halvings of the mask, one after the other, down to the attention's size.
    """

    same: bool
    nearest: Nearest
    fuse: bool = True
    key_norm: KeyNorm = "clamped"
    mask_steps: tuple[int, ...] = (2, 1)


class DeepFillGenerator(InpaintingNetwork):
    """What both versions share: stages, sizes and ranges.

    Args:
        width, channels: as of the versions.
        graph: the program's.
        norm: the versions' `coarse_norm`.
        gated: version 2's convolutions have gates.
    """

    def __init__(
        self, width: int, graph: Graph, norm: CoarseNorm, channels: Channels, *, gated: bool
    ) -> None:
        super().__init__()
        version = "deepfillv2" if gated else "deepfillv1"
        check_option(version, "coarse_norm", norm, ("none", "region"))
        check_option(version, "channels", channels, ("rgb", "bgr"))
        self.channels = channels
        self.gated = gated
        self.coarse = _CoarseNetwork(width, graph, norm, gated=gated)
        self.refinement = _RefinementNetwork(3 if gated else 5, width, graph, gated=gated)

    def forward(self, image: Tensor, mask: Tensor) -> Prediction:
        """Fill the hole; see the class for shapes."""
        height, width = image.shape[-2:]
        mask = (mask > 0.5).to(image.dtype)
        if self.channels == "bgr":
            image = image.flip(1)
        image, hole = (pad_to_multiple(x, 8, least=2) for x in (image, mask))
        known = torch.where(hole > 0, torch.zeros_like(image), image * 2 - 1)
        side_channels = torch.cat([torch.ones_like(hole), hole], dim=1)
        coarse = self._bounded(self.coarse(torch.cat([known, side_channels], dim=1), hole))
        seen = torch.where(hole > 0, coarse, known)
        seen = seen if self.gated else torch.cat([seen, side_channels], dim=1)
        stages = [coarse, self._bounded(self.refinement(seen, hole))]
        stages = [crop((stage + 1) / 2, height, width) for stage in stages]
        if self.channels == "bgr":
            stages = [stage.flip(1) for stage in stages]
        return Prediction(stages)

    def _bounded(self, picture: Tensor) -> Tensor:
        """Into [-1, 1]; version 1 clips, in eval mode only, so that gradients live on."""
        if self.gated:
            return torch.tanh(picture)
        return picture if self.training else picture.clamp(-1, 1)


class _Convolution(nn.Module):
    """A convolution, normalised if asked, with its activation, times a gate if it has one."""

    def __init__(
        self,
        inputs: int,
        outputs: int,
        kernel: int = 3,
        *,
        same: bool = True,
        stride: int = 1,
        dilation: int = 1,
        gated: bool,
        activation: Activation = "elu",
        norm: nn.Module | None = None,
    ) -> None:
        super().__init__()
        self.gated = gated and activation != "none"
        self.activation = activation
        self.norm = nn.Identity() if norm is None else norm
        self.pads_after = same and stride == 2
        self.conv = nn.Conv2d(
            inputs,
            2 * outputs if self.gated else outputs,
            kernel,
            stride=stride,
            dilation=dilation,
            padding=0 if self.pads_after else dilation * (kernel // 2),
        )
        nn.init.xavier_uniform_(self.conv.weight)
        assert self.conv.bias is not None
        nn.init.zeros_(self.conv.bias)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        x = self.conv(F.pad(x, (0, 1, 0, 1)) if self.pads_after else x)
        if self.activation == "none":
            return x
        features, *gates = x.chunk(2, dim=1) if self.gated else (x,)
        features = apply_norm(self.norm, features, mask)
        features = F.elu(features) if self.activation == "elu" else F.relu(features)
        return features * torch.sigmoid(gates[0]) if gates else features


class _CoarseNetwork(nn.Module):
    """Two halvings, four dilated convolutions, two doublings."""

    def __init__(self, width: int, graph: Graph, norm: CoarseNorm, *, gated: bool) -> None:
        super().__init__()
        c, self.nearest = width, graph.nearest

        def early(channels: int) -> nn.Module | None:
            return RegionNormBasic(channels) if norm == "region" else None

        def late(channels: int) -> nn.Module | None:
            return RegionNormLearnable(channels) if norm == "region" else None

        same = graph.same
        self.encoder = nn.ModuleList(
            [
                _Convolution(5, c, 5, gated=gated, norm=early(c)),
                _Convolution(c, 2 * c, stride=2, same=same, gated=gated, norm=early(2 * c)),
                _Convolution(2 * c, 2 * c, gated=gated, norm=early(2 * c)),
                _Convolution(2 * c, 4 * c, stride=2, same=same, gated=gated, norm=early(4 * c)),
                _Convolution(4 * c, 4 * c, gated=gated, norm=early(4 * c)),
                _Convolution(4 * c, 4 * c, gated=gated, norm=early(4 * c)),
            ]
        )
        self.middle = nn.ModuleList(
            _Convolution(4 * c, 4 * c, dilation=d, gated=gated, norm=late(4 * c))
            for d in (2, 4, 8, 16)
        )
        norms = [late(channels) for channels in (4 * c, 4 * c, 2 * c, 2 * c, c, c // 2)]
        self.decoder = _Decoder(4 * c, c, graph, norms, gated=gated)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        for convolution in (*self.encoder, *self.middle):
            x = convolution(x, mask)
        picture: Tensor = self.decoder(x, mask)
        return picture


class _RefinementNetwork(nn.Module):
    """A dilated branch and one with contextual attention, joined in one decoder."""

    def __init__(self, inputs: int, width: int, graph: Graph, *, gated: bool) -> None:
        super().__init__()
        c, same = width, graph.same
        self.graph = graph

        def encoder(quarter: int, last: Activation) -> nn.ModuleList:
            return nn.ModuleList(
                [
                    _Convolution(inputs, c, 5, gated=gated),
                    _Convolution(c, c, stride=2, same=same, gated=gated),
                    _Convolution(c, 2 * c, gated=gated),
                    _Convolution(2 * c, quarter, stride=2, same=same, gated=gated),
                    _Convolution(quarter, 4 * c, gated=gated),
                    _Convolution(4 * c, 4 * c, gated=gated, activation=last),
                ]
            )

        self.encoder = encoder(2 * c, "elu")
        self.middle = nn.ModuleList(
            _Convolution(4 * c, 4 * c, dilation=d, gated=gated) for d in (2, 4, 8, 16)
        )
        self.attention_encoder = encoder(4 * c, "relu")
        self.attention = ContextualAttention(fuse=graph.fuse, key_norm=graph.key_norm)
        self.attended = nn.ModuleList(_Convolution(4 * c, 4 * c, gated=gated) for _ in range(2))
        self.decoder = _Decoder(8 * c, c, graph, [None] * 6, gated=gated)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        y = x
        for convolution in (*self.encoder, *self.middle):
            x = convolution(x, mask)
        for convolution in self.attention_encoder:
            y = convolution(y, mask)
        y = self._attention(y, mask)
        for convolution in self.attended:
            y = convolution(y, mask)
        picture: Tensor = self.decoder(torch.cat([x, y], dim=1), mask)
        return picture

    def _attention(self, y: Tensor, mask: Tensor) -> Tensor:
        for times in self.graph.mask_steps:
            mask = halved(mask, times, self.graph.nearest)
        known = available_patches(mask)
        rebuilt: Tensor = self.attention(halved(y, 1, self.graph.nearest), y, known)
        return rebuilt


class _Decoder(nn.Module):
    """Two convolutions at each of three sizes, then the one that makes the picture."""

    def __init__(
        self, inputs: int, width: int, graph: Graph, norms: list[nn.Module | None], *, gated: bool
    ) -> None:
        super().__init__()
        self.nearest: Nearest = graph.nearest
        c = width
        widths = [inputs, 4 * c, 4 * c, 2 * c, 2 * c, c, c // 2]
        self.convolutions = nn.ModuleList(
            _Convolution(a, b, gated=gated, norm=norm)
            for a, b, norm in zip(widths[:-1], widths[1:], norms, strict=True)
        )
        self.last = _Convolution(c // 2, 3, gated=False, activation="none")

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        for place, convolution in enumerate(self.convolutions):
            if place in (2, 4):
                x = doubled(x, self.nearest)
            x = convolution(x, mask)
        picture: Tensor = self.last(x, mask)
        return picture
