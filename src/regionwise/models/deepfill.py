"""DeepFill: both networks of Yu et al., with contextual attention.

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
    KeyNorm,
    available_patches,
    contextual_attention,
)
from regionwise.layers.nearest import Nearest, doubled, halved
from regionwise.layers.padding import crop, pad_to_multiple
from regionwise.layers.region_norm import RegionNormBasic, RegionNormLearnable, normalized
from regionwise.models.options import check_option
from regionwise.models.prediction import Prediction

Norm = Literal["none", "region"]
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


V2_GRAPHS = {
    "tensorflow": Graph(same=True, nearest="aligned"),
    "converted": Graph(same=True, nearest="linspace", fuse=False, mask_steps=(3,)),
    "pytorch": Graph(same=False, nearest="plain"),
}
V1_GRAPHS = {
    "tensorflow": Graph(same=True, nearest="aligned"),
    "pytorch": Graph(same=False, nearest="plain", key_norm="smoothed"),
}


class _DeepFill(nn.Module):
    """What both versions share: stages, sizes and ranges."""

    def __init__(
        self, width: int, graph: Graph, norm: Norm, channels: Channels, *, gated: bool
    ) -> None:
        super().__init__()
        check_option("deepfill", "norm", norm, ("none", "region"))
        check_option("deepfill", "channels", channels, ("rgb", "bgr"))
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


class DeepFillV2Generator(_DeepFill):
    """DeepFill v2 (GC): gated convolutions, 4.05M parameters.

    Training as published: L1 of both stages over the whole picture, hinge SN-PatchGAN, both with
    weight 1; Adam(0.5, 0.999), lr 1e-4, batch 16.

    Args:
        width: channels of the first convolution, 24 in the released network (its name for them is
            48: features and gates).
        graph: whose details (`V2_GRAPHS`): "tensorflow" as the authors trained it; "converted" as
            the PyTorch port runs the authors' weights, which leaves out the fusion of scores;
            "pytorch" as the port trained its own.
        coarse_norm: "none" as published; "region": RN-GC of the Region Normalization paper's
            section 4.5, RN-B in the coarse network's encoder, RN-L in the rest of it.
        channels: the order in which the weights expect colours; the authors' is "bgr".

    Shapes: image N×3×H×W in [0, 1], mask N×1×H×W (1 = missing), any H, W ≥ 1 (padded inside to
    multiples of 8) → `Prediction` with two stages of N×3×H×W. Each picture of a batch has its own
    mask (the released network takes the first one's for all).

    Raises:
        ModelError: for an unknown option.
    """

    def __init__(
        self,
        *,
        width: int = 24,
        graph: str = "tensorflow",
        coarse_norm: Norm = "none",
        channels: Channels = "rgb",
    ) -> None:
        check_option("deepfill", "graph", graph, V2_GRAPHS)
        super().__init__(width, V2_GRAPHS[graph], coarse_norm, channels, gated=True)


class DeepFillV1Generator(_DeepFill):
    """DeepFill v1 (CA): ordinary convolutions, 3.60M parameters.

    Training as published: WGAN-GP, local and global, 0.001; gradient penalty 10; L1 1.2, weighed by
    0.9^distance from the known; autoencoding 1.2; coarse × 1.2; Adam(0.5, 0.9), lr 1e-4, batch 16.

    Args:
        width: channels of the first convolution, 32 in the paper.
        graph: whose details (`V1_GRAPHS`): "tensorflow", the authors', or "pytorch", those of the
            port (daa233's), whose convolutions and attention see other pixels.
        coarse_norm: "region" is RN-CA, see `DeepFillV2Generator`.
        channels: see `DeepFillV2Generator`.

    Shapes and errors: as `DeepFillV2Generator`.
    """

    def __init__(
        self,
        *,
        width: int = 32,
        graph: str = "tensorflow",
        coarse_norm: Norm = "none",
        channels: Channels = "rgb",
    ) -> None:
        check_option("deepfill", "graph", graph, V1_GRAPHS)
        super().__init__(width, V1_GRAPHS[graph], coarse_norm, channels, gated=False)


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
        features = normalized(self.norm, features, mask)
        features = F.elu(features) if self.activation == "elu" else F.relu(features)
        return features * torch.sigmoid(gates[0]) if gates else features


class _CoarseNetwork(nn.Module):
    """Two halvings, four dilated convolutions, two doublings."""

    def __init__(self, width: int, graph: Graph, norm: Norm, *, gated: bool) -> None:
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
        return contextual_attention(
            halved(y, 1, self.graph.nearest),
            y,
            available_patches(mask),
            fuse=self.graph.fuse,
            key_norm=self.graph.key_norm,
        )


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
