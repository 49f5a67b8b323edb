"""A picture as torchvision's networks were trained on it."""

from __future__ import annotations

from torch import Tensor, tensor

from regionwise.layers.imagenet import MEAN, STD


def normalized(picture: Tensor) -> Tensor:
    """A picture of N×3×H×W in [0, 1], less the mean and over the standard deviation."""
    mean, std = (
        tensor(values, dtype=picture.dtype, device=picture.device).view(1, 3, 1, 1)
        for values in (MEAN, STD)
    )
    return (picture - mean) / std
