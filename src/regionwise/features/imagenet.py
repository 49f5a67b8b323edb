"""The mean and standard deviation with which torchvision trained its networks on ImageNet."""

from __future__ import annotations

from torch import Tensor, tensor

MEAN = (0.485, 0.456, 0.406)
STD = (0.229, 0.224, 0.225)


def normalized(picture: Tensor) -> Tensor:
    """A picture of N×3×H×W in [0, 1], less the mean and over the standard deviation."""
    mean, std = (
        tensor(values, dtype=picture.dtype, device=picture.device).view(1, 3, 1, 1)
        for values in (MEAN, STD)
    )
    return (picture - mean) / std
