"""Distance of deep features: how different two pictures look, under the network's own name.

LPIPS (Zhang et al., The Unreasonable Effectiveness of Deep Features as a Perceptual Metric, CVPR
2018) without its learned weights: at each stage of a classifier the features of a pixel are brought
to unit length, and the squared differences of both pictures are summed over channels and averaged
over pixels; the distance is the mean over stages. It is named after the classifier, and comparable
to no published number.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeAlias

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

Features: TypeAlias = Callable[[Tensor], Sequence[Tensor]]

_EPS = 1e-3
_POOL = "M"
_PLAN = tuple("3M3M1313M1313M13131")
"""Sides of the kernels of Darknet's tiny classifier, and where it pools."""


class DarknetTiny(nn.Module):
    """Features of Darknet's tiny ImageNet classifier before each pooling, and its last ones.

    Args:
        file: an .npz with `conv2d_I.kernel` (height, width, in, out) and
            `batch_normalization_I.{gamma,beta,moving_mean,moving_variance}`.

    Shapes: N×3×H×W in [0, 1] → five maps N×C×h×w at strides 1, 2, 4, 8 and 16.
    """

    def __init__(self, file: Path) -> None:
        super().__init__()
        self.convolutions = nn.ModuleList()
        with np.load(file) as arrays:
            numbers = sorted(
                int(key.removeprefix("conv2d_").removesuffix(".kernel"))
                for key in arrays.files
                if key.endswith(".kernel")
            )
            sides = [side for side in _PLAN if side != _POOL]
            for number, side in zip(numbers, sides, strict=False):  # the classes' own is left out
                self.convolutions.append(_folded(arrays, number, int(side)))
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


def feature_distance(features: Features, first: Tensor, second: Tensor) -> float:
    """Mean over stages of the squared distance of unit-length features; 0 = the same.

    Args:
        features: N×3×H×W in [0, 1] → maps N×C×h×w.
        first: 3×H×W.
        second: likewise.
    """
    with torch.inference_mode():
        stages = zip(features(first[None]), features(second[None]), strict=True)
        distances = [
            (F.normalize(a, dim=1) - F.normalize(b, dim=1)).square().sum(dim=1).mean()
            for a, b in stages
        ]
    return float(torch.stack(distances).mean())


def view_of_hole(hole: NDArray[np.bool_]) -> tuple[slice, slice]:
    """Rows and columns of the hole's bounding box with half its longer side more on each side.

    What a person looks at who judges a fill; so a small hole in a large photo counts like any.
    """
    rows, columns = (np.flatnonzero(hole.any(axis=axis)) for axis in (1, 0))
    margin = max(int(np.ptp(rows)), int(np.ptp(columns))) // 2
    return (
        slice(max(0, int(rows[0]) - margin), int(rows[-1]) + margin + 1),
        slice(max(0, int(columns[0]) - margin), int(columns[-1]) + margin + 1),
    )


def _folded(arrays: np.lib.npyio.NpzFile, number: int, side: int) -> nn.Conv2d:
    """A convolution with its batch norm folded in."""
    norm = f"batch_normalization_{number}"
    scale = arrays[f"{norm}.gamma"] / np.sqrt(arrays[f"{norm}.moving_variance"] + _EPS)
    kernel = (arrays[f"conv2d_{number}.kernel"] * scale).transpose(3, 2, 0, 1)
    convolution = nn.Conv2d(kernel.shape[1], kernel.shape[0], side, padding=side // 2)
    convolution.weight.data = torch.from_numpy(np.ascontiguousarray(kernel, np.float32))
    assert convolution.bias is not None
    bias = arrays[f"{norm}.beta"] - arrays[f"{norm}.moving_mean"] * scale
    convolution.bias.data = torch.from_numpy(bias.astype(np.float32))
    return convolution
