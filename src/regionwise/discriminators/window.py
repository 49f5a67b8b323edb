"""What discriminators with a window around the hole are made of."""

from __future__ import annotations

from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from regionwise.errors import ModelError


class Tower(nn.Module):
    """5×5 convolutions of stride 2, then one fully connected layer: for pictures of one size.

    Args:
        widths: channels, those of the input first.
        size: side of the pictures.
        outputs: numbers given of each picture.
        norm: batch normalisation and ReLU, else leaky ReLU.

    Shapes: N×widths[0]×size×size → (N×outputs, the features before).
    """

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
        """See the class."""
        features = []
        for convolution, norm in zip(self.convolutions, self.norms, strict=True):
            x = F.leaky_relu(norm(convolution(x)), self.slope)
            features.append(x)
        return self.last(x.flatten(1)), features


def check_candidate_size(candidate: Tensor, size: int) -> None:
    """Refuse pictures of another size than a fully connected layer was made for.

    Raises:
        ModelError: with the option that has to be set.
    """
    height, width = candidate.shape[-2:]
    if (height, width) != (size, size):
        raise ModelError(
            f"this discriminator judges pictures of {size}×{size} pixels, not of {width}×{height}: "
            "set discriminator.options.size, and window, to fit data.size"
        )


def around_hole(image: Tensor, mask: Tensor, side: int) -> Tensor:
    """The window of a side around the middle of each picture's hole, inside the picture.

    The holes that such discriminators were made for are boxes not larger than the window; of a
    larger one the window shows the middle.

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
