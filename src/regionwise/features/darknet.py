"""Features of a network trained on ImageNet, for perceptual and style losses.

VGG is what the papers use. Where its weights can't be had, the first five stages of Darknet's
reference classifier serve: 3×3 convolutions of 16 to 256 channels, batch norm, leaky ReLU, pooled
between. A loss or metric taken with them is named after them, never VGG or LPIPS.
"""

from __future__ import annotations

from pathlib import Path
from zipfile import BadZipFile

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from regionwise.errors import CheckpointError

_EPS = 1e-3


class DarknetFeatures(nn.Module):
    """The activations before each pooling, at strides 1, 2, 4, 8 and 16; weights are frozen.

    Args:
        file: an .npz with `conv2d_I.kernel` (height, width, in, out) and
            `batch_normalization_I.{gamma,beta,moving_mean,moving_variance}`.

    Shapes: N×3×H×W in [0, 1] → five maps N×C×h×w.
    """

    def __init__(self, file: Path) -> None:
        super().__init__()
        try:
            with np.load(file) as arrays:
                weights = {key: torch.from_numpy(arrays[key]) for key in arrays.files}
        except (OSError, ValueError, BadZipFile) as error:
            raise CheckpointError(f"{file}: not feature weights ({error})") from error
        names = sorted(
            (key for key in weights if key.endswith(".kernel")),
            key=lambda key: int(key.removeprefix("conv2d_").split(".")[0]),
        )
        self.convolutions = nn.ModuleList()
        for kernel in names:
            norm = kernel.removesuffix(".kernel").replace("conv2d", "batch_normalization")
            if f"{norm}.gamma" not in weights:
                break
            self.convolutions.append(_folded(weights, kernel, norm))
        self.requires_grad_(False)

    def forward(self, x: Tensor) -> list[Tensor]:
        """Features of x; see the class."""
        features = []
        for convolution in self.convolutions:
            x = F.leaky_relu(convolution(x), 0.1)
            features.append(x)
            x = F.max_pool2d(x, 2)
        return features


def _folded(weights: dict[str, Tensor], kernel: str, norm: str) -> nn.Conv2d:
    """The convolution with its batch norm folded in."""
    scale = weights[f"{norm}.gamma"] * torch.rsqrt(weights[f"{norm}.moving_variance"] + _EPS)
    kernels = weights[kernel].permute(3, 2, 0, 1)
    convolution = nn.Conv2d(kernels.shape[1], kernels.shape[0], 3, padding=1)
    convolution.weight.data = (kernels * scale[:, None, None, None]).contiguous()
    assert convolution.bias is not None
    convolution.bias.data = weights[f"{norm}.beta"] - weights[f"{norm}.moving_mean"] * scale
    return convolution
