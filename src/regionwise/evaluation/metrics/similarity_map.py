"""The map of structural similarity of two pictures, and its mean: what metrics take numbers of."""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
from scipy.ndimage import correlate1d

from regionwise.arrays import Doubles, Mask, Reals
from regionwise.classical.structural_similarity import WINDOW, gaussian_weights, similarity

WindowShape = Literal["gaussian", "uniform"]


def mean_similarity(values: Doubles, hole: Mask | None = None) -> float:
    """Mean of a `ssim_map`, as `ssim.ssim` takes it."""
    if hole is not None:
        return float(values[:, hole].mean()) if hole.any() else math.nan
    border = WINDOW // 2
    if min(values.shape[1:]) >= WINDOW:
        values = values[:, border:-border, border:-border]
    return float(values.mean())


def ssim_map(truth: Reals, answer: Reals, window: WindowShape) -> Doubles:
    """Similarity of the windows about each pixel, C×H×W; see `ssim.ssim`."""
    x, y = truth.astype(np.float64), answer.astype(np.float64)
    weights = _weights(window)
    count = WINDOW**2
    correction = count / (count - 1) if window == "uniform" else 1.0
    means = [_windowed(values, weights) for values in (x, y, x * x, y * y, x * y)]
    return similarity(*means, correction=correction)


def _weights(window: WindowShape) -> Doubles:
    if window == "uniform":
        return np.full(WINDOW, 1 / WINDOW)
    return np.array(gaussian_weights())


def _windowed(values: Doubles, weights: Doubles) -> Doubles:
    down: Doubles = correlate1d(values, weights, axis=1, mode="reflect")
    across: Doubles = correlate1d(down, weights, axis=2, mode="reflect")
    return across
