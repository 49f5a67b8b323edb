"""Discriminators that look twice: at the whole picture, and at a window around the hole.

Both end in a fully connected layer, so they judge pictures of one size. The holes that they were
made for are boxes not larger than the window; of a larger one the window shows the middle.
"""

from __future__ import annotations

from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class LocalGlobalCritics(nn.Module):
    """DeepFill v1's two critics (section 3), each with a score of its own.

    The paper gives no layers. Ours are 5×5 convolutions of stride 2 with leaky ReLU and a fully
    connected layer, without any normalisation, as WGAN-GP asks for (Gulrajani et al., section 4).

    Args:
        size: side of the pictures.
        window: side of the window, 128 in the paper.
        width: channels of the first convolution.

    Shapes: picture N×3×size×size, mask N×1×size×size (1 = missing) → of the whole and of the
    window (scores N×1, the features before them).
    """

    def __init__(self, size: int = 256, window: int = 128, width: int = 64) -> None:
        super().__init__()
        self.window = window
        c = width
        self.globally = _Tower([3, c, 2 * c, 4 * c, 4 * c], size, 1)
        self.locally = _Tower([3, c, 2 * c, 4 * c, 8 * c], window, 1)

    def forward(self, image: Tensor, mask: Tensor) -> list[tuple[Tensor, list[Tensor]]]:
        """Score the picture and its window; see the class."""
        return [self.globally(image), self.locally(around_hole(image, mask, self.window))]


class LocalGlobalDiscriminator(nn.Module):
    """GLCIC's discriminator (section 3.3, Table 2): one score of what both parts saw together.

    5×5 convolutions of stride 2, each with batch normalisation and ReLU: six of 64 to 512 channels
    upon the whole picture of 256 pixels, five upon the window of 128; 1024 numbers of each, one
    fully connected layer of both.

    Args:
        size: side of the pictures, 256 in the paper.
        window: side of the window, 128 in the paper.
        width: channels of the first convolution, 64 in the paper.

    Shapes: picture N×3×size×size, mask N×1×size×size (1 = missing) → (scores N×1 without
    activation, the features before them).
    """

    def __init__(self, size: int = 256, window: int = 128, width: int = 64) -> None:
        super().__init__()
        self.window = window
        c = width
        self.globally = _Tower([3, c, 2 * c, 4 * c, *3 * [8 * c]], size, 16 * c, norm=True)
        self.locally = _Tower([3, c, 2 * c, 4 * c, *2 * [8 * c]], window, 16 * c, norm=True)
        self.last = nn.Linear(32 * c, 1)

    def forward(self, image: Tensor, mask: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Score the picture; see the class."""
        seen, features = self.globally(image)
        seen_closely, more = self.locally(around_hole(image, mask, self.window))
        joint = F.relu(torch.cat([seen, seen_closely], dim=1))
        return self.last(joint), [*features, *more]


class _Tower(nn.Module):
    """5×5 convolutions of stride 2, then one fully connected layer."""

    def __init__(self, widths: list[int], size: int, outputs: int, *, norm: bool = False) -> None:
        super().__init__()
        self.slope = 0.0 if norm else 0.2
        self.convolutions = nn.ModuleList(
            nn.Conv2d(a, b, 5, stride=2, padding=2, bias=not norm) for a, b in pairwise(widths)
        )
        self.norms = nn.ModuleList(nn.BatchNorm2d(b) if norm else nn.Identity() for b in widths[1:])
        for _ in self.convolutions:
            size = -(-size // 2)
        self.last = nn.Linear(widths[-1] * size * size, outputs)

    def forward(self, x: Tensor) -> tuple[Tensor, list[Tensor]]:
        features = []
        for convolution, norm in zip(self.convolutions, self.norms, strict=True):
            x = F.leaky_relu(norm(convolution(x)), self.slope)
            features.append(x)
        return self.last(x.flatten(1)), features


def around_hole(image: Tensor, mask: Tensor, side: int) -> Tensor:
    """The window of a side around the middle of each picture's hole, inside the picture.

    Args:
        image: N×C×H×W.
        mask: N×1×H×W, 1 = missing; where nothing is missing the window lies in the middle.
        side: at most H and W.

    Returns:
        N×C×side×side.
    """
    windows = []
    for picture, hole in zip(image, mask[:, 0] > 0.5, strict=True):
        top, left = (
            _start(hole.any(dim=axis).nonzero().flatten(), length, side)
            for axis, length in ((1, hole.shape[0]), (0, hole.shape[1]))
        )
        windows.append(picture[:, top : top + side, left : left + side])
    return torch.stack(windows)


def _start(missing: Tensor, length: int, side: int) -> int:
    """Where the window begins along one axis; `missing` are the places where the hole is."""
    middle = (int(missing[0]) + int(missing[-1]) + 1) // 2 if len(missing) else length // 2
    return min(max(middle - side // 2, 0), length - side)
