"""The structure of a picture, texture removed: relative total variation (Xu et al., 2012)."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from scipy.ndimage import gaussian_filter
from scipy.sparse import diags, identity
from scipy.sparse.linalg import cg
from torch import Tensor

from regionwise.arrays import Doubles
from regionwise.errors import ModelError
from regionwise.layers.membrane import membrane_fill


@torch.no_grad()
def smooth_structure(
    image: Tensor, mask: Tensor, *, strength: float = 0.01, sigma: float = 3.0, steps: int = 4
) -> Tensor:
    """Structure of the known region, on the CPU; StructureFlow's first network is given it.

    The hole is filled smoothly first: there is nothing to be seen of what it held.

    Args:
        image: N×3×H×W in [0, 1]; what it holds in the hole doesn't matter.
        mask: N×1×H×W, 1 = missing.
        strength: λ of eq. (8).
        sigma: pixels of the window that tells texture from structure; halved in each step.
        steps: of the iteration.

    Returns:
        N×3×H×W in [0, 1].

    Raises:
        ModelError: when the graph is exported: a library's solver is no part of it.
    """
    if torch.compiler.is_compiling():
        raise ModelError("structure by SciPy's solver can't be exported; fill with PyTorch")
    if image.is_meta:  # shapes alone, to count what the network costs
        return torch.empty_like(image)
    filled = membrane_fill(image, mask).double().cpu().numpy().transpose(0, 2, 3, 1)
    smooth = [relative_total_variation(picture, strength, sigma, steps) for picture in filled]
    stacked = np.stack(smooth).transpose(0, 3, 1, 2).clip(0, 1)
    return torch.from_numpy(stacked).to(image)


def relative_total_variation(
    picture: Doubles, strength: float, sigma: float, steps: int
) -> Doubles:
    """Minimise (S − I)² + λ·(windowed variation / windowed net variation) (eq. 8, 13-15).

    Args:
        picture: I, H×W×3.
        strength, sigma, steps: see `smooth_structure`.

    Returns:
        S, H×W×3.
    """
    height, width = picture.shape[:2]
    structure: Doubles = picture.copy()
    for _ in range(steps):
        # Weights of the differences to the right and downwards; none across the border.
        system = identity(height * width)
        for axis, distance in ((1, 1), (0, width)):
            weights = _weights(structure, axis, sigma).ravel() * (strength / 2)
            system = system + _differences(weights, distance)
        inverse_diagonal = diags(1 / system.diagonal())
        for channel in range(3):
            structure[..., channel] = cg(
                system,
                picture[..., channel].ravel(),
                x0=structure[..., channel].ravel(),
                rtol=1e-4,
                maxiter=100,
                M=inverse_diagonal,
            )[0].reshape(height, width)
        sigma = max(sigma / 2, 0.5)
    return structure


def _differences(weights: Doubles, distance: int) -> Any:
    """The matrix of Σ weights[i]·(s[i] − s[i + distance])², as one of its sides of equations."""
    count = len(weights)
    if distance >= count:
        return diags(np.zeros(count))
    weights = weights[:-distance]
    between = diags([-weights], [distance], shape=(count, count))
    own = np.pad(weights, (0, distance)) + np.pad(weights, (distance, 0))
    return between + between.T + diags(own)


def _weights(structure: Doubles, axis: int, sigma: float) -> Doubles:
    """u·w of eq. (11) and (12) for the difference to the next pixel along an axis, H×W."""
    after = np.take(structure, [-1], axis=axis)
    difference = np.diff(structure, axis=axis, append=after)
    net = np.abs(gaussian_filter(difference, (sigma, sigma, 0), mode="nearest")).mean(axis=2)
    own = np.sqrt((difference**2).sum(axis=2) / 3)
    window = gaussian_filter(1 / np.maximum(net, 1e-3), sigma, mode="nearest")
    weights: Doubles = window / np.maximum(own, 2e-2)
    weights[(slice(None), -1) if axis == 1 else -1] = 0
    return weights
