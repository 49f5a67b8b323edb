"""Darknet's tiny classifier of ImageNet, whole: features where no other weights can be had.

Convolutions with batch norm and leaky ReLU; its 3×3 ones widen, its 1×1 ones narrow, and it pools
four times. `regionwise.features.darknet` holds the plain stem of another of its classifiers.
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
_POOL = "M"
_PLAN = tuple("3M3M1313M1313M13131")
"""Sides of the kernels, and where it pools."""


class DarknetTiny(nn.Module):
    """The activations before each pooling, and the last ones; weights are frozen.

    Args:
        file: an .npz with `conv2d_I.kernel` (height, width, in, out) and
            `batch_normalization_I.{gamma,beta,moving_mean,moving_variance}`.

    Shapes: N×3×H×W in [0, 1] → five maps N×C×h×w at strides 1, 2, 4, 8 and 16; H, W ≥ 16.

    Raises:
        CheckpointError: the file is broken or holds another network.
    """

    def __init__(self, file: Path) -> None:
        super().__init__()
        self.convolutions = nn.ModuleList()
        try:
            with np.load(file) as arrays:
                sides = [int(side) for side in _PLAN if side != _POOL]
                for number, side in enumerate(sides, start=1):
                    self.convolutions.append(_folded(arrays, number, side))
        except (OSError, ValueError, KeyError, BadZipFile) as error:
            raise CheckpointError(f"{file}: not Darknet's tiny classifier ({error})") from error
        self.requires_grad_(False)

    def forward(self, x: Tensor) -> list[Tensor]:
        """Features of x; see the class."""
        features = []
        convolutions = iter(self.convolutions)
        for step in _PLAN:
            if step == _POOL:
                features.append(x)
                x = F.max_pool2d(x, 2)
            else:
                x = F.leaky_relu(next(convolutions)(x), 0.1)
        return [*features, x]


def _folded(arrays: np.lib.npyio.NpzFile, number: int, side: int) -> nn.Conv2d:
    """A convolution with its batch norm folded in."""
    norm = f"batch_normalization_{number}"
    scale = arrays[f"{norm}.gamma"] / np.sqrt(arrays[f"{norm}.moving_variance"] + _EPS)
    kernel = (arrays[f"conv2d_{number}.kernel"] * scale).transpose(3, 2, 0, 1)
    if kernel.shape[2:] != (side, side):
        raise ValueError(f"convolution {number} is {kernel.shape[2]} wide, not {side}")
    convolution = nn.Conv2d(kernel.shape[1], kernel.shape[0], side, padding=side // 2)
    convolution.weight.data = torch.from_numpy(np.ascontiguousarray(kernel, np.float32))
    assert convolution.bias is not None
    bias = arrays[f"{norm}.beta"] - arrays[f"{norm}.moving_mean"] * scale
    convolution.bias.data = torch.from_numpy(bias.astype(np.float32))
    return convolution
