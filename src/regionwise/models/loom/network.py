"""Loom: a network of this project, made for training on a processor.

It starts from a membrane, as the other networks here can, and predicts a correction to it, in units
of the known region's deviation. What is its own:

- The picture is folded into channels first (space to depth, 4×4), and all layers lie at 1/4 to 1/32
  of its size. Wide 3×3 convolutions on few places are what matrix units do best; at full size with
  few channels, as other networks begin and end, they do a quarter as much in a second.
- No layer normalises: blocks begin as the identity (their second convolution is zero) and the
  picture comes with its mean and deviation taken out. A block knows what is missing by a bias.
- The two coarsest levels look at the whole picture by self-attention, in which a missing place
  counts less as a source.

It was chosen by a bake-off at equal processor time (docs/bakeoff.md).
"""

from __future__ import annotations

from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from regionwise.errors import ModelError
from regionwise.layers.known_attention import KnownAttention
from regionwise.layers.membrane import known_deviation, known_mean, membrane_fill
from regionwise.layers.padding import crop, pad_to_multiple
from regionwise.models.network import InpaintingNetwork
from regionwise.models.prediction import Prediction

_FOLD = 4
"""Side of the squares of pixels that become channels."""
_HEAD = 32
"""Channels of an attention head."""


class LoomGenerator(InpaintingNetwork):
    """A U of residual blocks from 1/4 of the size downwards; 8.9M parameters by default.

    Args:
        widths: channels of each level, finest first; multiples of 32.
        encoder: residual blocks of each level on the way down.
        decoder: and on the way up, for all levels but the coarsest.

    Shapes: image N×3×H×W in [0, 1], mask N×1×H×W (1 = missing), any H, W ≥ 1 (padded inside to
    multiples of 2 to the power of levels + 1; the padding counts as missing) → `Prediction` of one
    picture N×3×H×W. Where a pixel is known it is the picture's own.

    Raises:
        ModelError: for options that don't fit each other.
    """

    def __init__(
        self,
        *,
        widths: tuple[int, ...] = (96, 160, 256, 320),
        encoder: tuple[int, ...] = (1, 1, 1, 2),
        decoder: tuple[int, ...] = (2, 1, 1),
    ) -> None:
        super().__init__()
        _check_options(widths, encoder, decoder)
        self.multiple = _FOLD * 2 ** (len(widths) - 1)
        cells = _FOLD**2
        self.stem = _convolution(4 * cells, widths[0])
        self.gate = _convolution(cells, widths[0], scale=0.1)
        self.encoder = nn.ModuleList(
            _Level(width, blocks, attention=level >= len(widths) - 2)
            for level, (width, blocks) in enumerate(zip(widths, encoder, strict=True))
        )
        self.decoder = nn.ModuleList(
            _Level(width, blocks, attention=False)
            for width, blocks in zip(widths[:-1], decoder, strict=True)
        )
        pairs = list(pairwise(widths))
        self.down = nn.ModuleList(nn.Conv2d(a, b, 2, stride=2) for a, b in pairs)
        self.up = nn.ModuleList(nn.Conv2d(b, a, 1) for a, b in pairs)
        self.head = _convolution(widths[0], 3 * cells, scale=0.1)
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def forward(self, image: Tensor, mask: Tensor) -> Prediction:
        """Fill the hole; see the class for shapes."""
        height, width = image.shape[-2:]
        mask = (mask > 0.5).to(image.dtype)
        start = membrane_fill(image, mask).to(image.dtype)
        unit, mean = known_deviation(start, mask), known_mean(start, mask)
        picture = pad_to_multiple((start - mean) / unit, self.multiple)
        missing = pad_to_multiple(mask, self.multiple, mode="constant", value=1.0)
        change = crop(self.correction(picture, missing).to(start.dtype), height, width)
        answer = start + mask * unit * change
        return Prediction([answer if self.training else answer.clamp(0, 1)])

    def correction(self, picture: Tensor, mask: Tensor) -> Tensor:
        """What is to be added to a normalised picture.

        Args:
            picture: N×3×H×W, H and W multiples of the class's; the hole is filled by a membrane.
            mask: N×1×H×W of 0 and 1.

        Returns:
            N×3×H×W.
        """
        cells = F.pixel_unshuffle(mask, _FOLD)
        folded = torch.cat([F.pixel_unshuffle(picture, _FOLD), cells], dim=1)
        folded, cells = (y.contiguous(memory_format=torch.channels_last) for y in (folded, cells))
        x = self.stem(folded)
        x = x * (1 + self.gate(cells))
        missing = [cells.mean(dim=1, keepdim=True).to(x.dtype)]
        links: list[Tensor] = []
        for number, level in enumerate(self.encoder):
            if number:
                links.append(x)
                x = self.down[number - 1](x)
                missing.append(F.avg_pool2d(missing[-1], 2))
            x = level(x, missing[-1])
        for up, level in zip(reversed(self.up), reversed(self.decoder), strict=True):
            missing.pop()
            x = links.pop() + F.interpolate(up(x), scale_factor=2.0, mode="nearest")
            x = level(x, missing[-1])
        return F.pixel_shuffle(self.head(F.relu(x)), _FOLD)


class _Level(nn.Module):
    """Residual blocks, then attention or none.

    Shapes: x N×C×H×W and the missing share of each place N×1×H×W → N×C×H×W.
    """

    def __init__(self, channels: int, blocks: int, *, attention: bool) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(_Block(channels) for _ in range(blocks))
        self.attention = KnownAttention(channels, channels // _HEAD) if attention else None

    def forward(self, x: Tensor, missing: Tensor) -> Tensor:
        for block in self.blocks:
            x = block(x, missing)
        return x if self.attention is None else x + self.attention(x, missing)


class _Block(nn.Module):
    """x + second(relu(first(relu(x)) + missing · bias)); the identity at first."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = _convolution(channels, channels)
        self.second = _convolution(channels, channels, scale=0.0)
        self.missing_bias = nn.Parameter(torch.zeros(1, channels, 1, 1))

    def forward(self, x: Tensor, missing: Tensor) -> Tensor:
        y = self.first(F.relu(x))
        y = torch.addcmul(y, missing, self.missing_bias.to(y.dtype))
        change: Tensor = self.second(F.relu(y))
        return x + change


def _convolution(inputs: int, outputs: int, *, scale: float = 1.0) -> nn.Conv2d:
    """3×3, of Kaiming's weights times a scale."""
    convolution = nn.Conv2d(inputs, outputs, 3, padding=1)
    assert convolution.bias is not None
    nn.init.kaiming_normal_(convolution.weight, nonlinearity="relu")
    nn.init.zeros_(convolution.bias)
    convolution.weight.data.mul_(scale)
    return convolution


def _check_options(
    widths: tuple[int, ...], encoder: tuple[int, ...], decoder: tuple[int, ...]
) -> None:
    if len(widths) < 2 or any(width < _HEAD or width % _HEAD for width in widths):
        raise ModelError(f"loom: widths={widths}: two levels or more, each a multiple of {_HEAD}")
    if len(encoder) != len(widths) or len(decoder) != len(widths) - 1:
        raise ModelError(
            f"loom: encoder={encoder}, decoder={decoder}: for {len(widths)} levels {len(widths)} "
            f"and {len(widths) - 1} numbers of blocks"
        )
    if min(encoder + decoder) < 0:
        raise ModelError(f"loom: encoder={encoder}, decoder={decoder}: a number of blocks is < 0")
