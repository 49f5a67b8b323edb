"""AlexNet (Krizhevsky, 2014), whose features LPIPS compares; torchvision's form and weights."""

from __future__ import annotations

from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from regionwise.errors import ModelError
from regionwise.features.frozen import load_into, read_weights
from regionwise.features.imagenet import normalized

LAYERS = ("relu1", "relu2", "relu3", "relu4", "relu5")
SMALLEST = 31
"""Pixels a side that a picture must have."""

_CONVOLUTIONS = {  # by their numbers in torchvision's `features`: in, out, side, stride, padding
    "0": (3, 64, 11, 4, 2),
    "3": (64, 192, 5, 1, 2),
    "6": (192, 384, 3, 1, 1),
    "8": (384, 256, 3, 1, 1),
    "10": (256, 256, 3, 1, 1),
}
_POOLED = ("3", "6")
"""Convolutions before which a 3×3 maximum of stride 2 is taken."""


class AlexNet(nn.Module):
    """The activations after each convolution, by the names in `LAYERS`; frozen, at first all NaN.

    Shapes: N×3×H×W in [0, 1] → for each layer N×C×h×w.

    Raises:
        ModelError: in use, for a picture of less than 31 pixels a side.
    """

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.ModuleDict(
            {
                number: nn.Conv2d(a, b, side, stride, padding, device="meta").to_empty(device="cpu")
                for number, (a, b, side, stride, padding) in _CONVOLUTIONS.items()
            }
        )
        for parameter in self.parameters():
            parameter.data.fill_(torch.nan)
        self.requires_grad_(False).eval()

    def forward(self, picture: Tensor) -> dict[str, Tensor]:
        """Features of the picture; see the class."""
        if min(picture.shape[-2:]) < SMALLEST:
            raise ModelError(f"AlexNet needs pictures of at least {SMALLEST} pixels a side")
        x, found = normalized(picture), {}
        for layer, (number, convolution) in zip(LAYERS, self.features.items(), strict=True):
            x = F.max_pool2d(x, 3, 2) if number in _POOLED else x
            x = F.relu(convolution(x))
            found[layer] = x
        return found


def load_alexnet(file: Path) -> AlexNet:
    """AlexNet with torchvision's weights of ImageNet.

    Raises:
        CheckpointError: the file is broken or holds another network.
    """
    network = AlexNet()
    load_into(network, read_weights(file), file, "torchvision's AlexNet")
    return network
