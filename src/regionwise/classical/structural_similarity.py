"""Structural similarity (SSIM; Wang et al., IEEE TIP 2004, eq. 13): the formula, written once.

The metric computes local means of NumPy arrays with SciPy, the loss those of tensors with
convolutions; both hand them to `similarity`.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, TypeVar

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from torch import Tensor

Values = TypeVar("Values", NDArray[np.float64], "Tensor")

WINDOW = 11
"""Side of the window in the paper, and in the papers of this field."""
SIGMA = 1.5
"""Standard deviation of Wang's Gaussian window, in pixels."""
_C1, _C2 = 0.01**2, 0.03**2


def gaussian_weights(window: int = WINDOW) -> list[float]:
    """Weights along one side of the Gaussian window; their sum is 1.

    Args:
        window: its side; made odd if it is even.
    """
    reach = (window - 1) // 2
    weights = [math.exp(-0.5 * (place / SIGMA) ** 2) for place in range(-reach, reach + 1)]
    return [weight / sum(weights) for weight in weights]


def similarity(
    mean_x: Values,
    mean_y: Values,
    mean_xx: Values,
    mean_yy: Values,
    mean_xy: Values,
    *,
    correction: float = 1.0,
) -> Values:
    """The similarity at each pixel, at most 1, of values in [0, 1].

    Args:
        mean_x, mean_y: local means of both pictures.
        mean_xx, mean_yy, mean_xy: local means of their squares and of their product.
        correction: of variances and covariance: n/(n − 1) for sample ones in windows of n pixels.
    """
    variance_x = correction * (mean_xx - mean_x**2)
    variance_y = correction * (mean_yy - mean_y**2)
    covariance = correction * (mean_xy - mean_x * mean_y)
    return ((2 * mean_x * mean_y + _C1) * (2 * covariance + _C2)) / (
        (mean_x**2 + mean_y**2 + _C1) * (variance_x + variance_y + _C2)
    )
