"""Batch normalisations that only add: their factors are moved into the layers before them."""

from __future__ import annotations

import torch
from torch import nn


@torch.no_grad()
def fold_scale(norm: nn.BatchNorm2d, *convolutions: nn.Conv2d | nn.ConvTranspose2d | None) -> None:
    """Move a normalisation's factors into the convolutions whose sum it normalises, in place.

    In eval mode the answer stays what it was. The normalisation keeps what it adds, and all weights
    their names.

    Args:
        norm: with an affine map and running statistics.
        convolutions: those of the sum; None is left out.
    """
    assert norm.running_mean is not None
    assert norm.running_var is not None
    scale = norm.weight / (norm.running_var + norm.eps).sqrt()
    for convolution in convolutions:
        if convolution is None:
            continue
        outputs = 1 if isinstance(convolution, nn.ConvTranspose2d) else 0
        convolution.weight.mul_(scale.view([-1 if axis == outputs else 1 for axis in range(4)]))
        if convolution.bias is not None:
            convolution.bias.mul_(scale)
    norm.bias.sub_(norm.running_mean * scale)
    norm.weight.fill_(1)
    norm.running_mean.zero_()
    norm.running_var.fill_(1 - norm.eps)
