"""Structural similarity (Wang et al., IEEE TIP 2004), window 11.

The papers say "window size 11" and leave open which window. The two in use differ in the third
digit, so both are here under their own names.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import correlate1d

from regionwise.arrays import Mask
from regionwise.classical.structural_similarity import WINDOW, gaussian_weights, similarity
from regionwise.evaluation.metrics.metric import FilledPicture, Picture, Score

WindowShape = Literal["gaussian", "uniform"]


def ssim(
    truth: Picture, answer: Picture, hole: Mask | None = None, window: WindowShape = "gaussian"
) -> float:
    """Mean structural similarity over pixels and channels; 1 = the same.

    Over the whole picture the mean leaves out the 5 rows and columns at each border, whose
    windows hang over (as the authors and scikit-image do); pictures of less than 11 pixels keep
    them. Inside the hole all pixels of the hole count, windows mirrored at the border.

    Args:
        truth: C×H×W in [0, 1].
        answer: likewise.
        hole: H×W bool; None = the whole picture. An empty hole gives NaN.
        window: "gaussian" is Wang's own, std 1.5 (scikit-image: gaussian_weights=True,
            use_sample_covariance=False); "uniform" is scikit-image's default, variances with n - 1.
    """
    return mean_similarity(ssim_map(truth, answer, window), hole)


def mean_similarity(similarity: NDArray[np.float64], hole: Mask | None = None) -> float:
    """Mean of a `ssim_map`, as `ssim` takes it."""
    if hole is not None:
        return float(similarity[:, hole].mean()) if hole.any() else math.nan
    border = WINDOW // 2
    if min(similarity.shape[1:]) >= WINDOW:
        similarity = similarity[:, border:-border, border:-border]
    return float(similarity.mean())


def ssim_map(truth: Picture, answer: Picture, window: WindowShape) -> NDArray[np.float64]:
    """Similarity of the windows about each pixel, C×H×W; see `ssim`."""
    x, y = truth.astype(np.float64), answer.astype(np.float64)
    weights = _weights(window)
    count = WINDOW**2
    correction = count / (count - 1) if window == "uniform" else 1.0
    means = [_windowed(values, weights) for values in (x, y, x * x, y * y, x * y)]
    return similarity(*means, correction=correction)


def _weights(window: WindowShape) -> NDArray[np.float64]:
    if window == "uniform":
        return np.full(WINDOW, 1 / WINDOW)
    return np.array(gaussian_weights())


def _windowed(values: NDArray[np.float64], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    down: NDArray[np.float64] = correlate1d(values, weights, axis=1, mode="reflect")
    across: NDArray[np.float64] = correlate1d(down, weights, axis=2, mode="reflect")
    return across


class Ssim:
    """`ssim` with both windows, and that of the hole with the Gaussian one."""

    scores = (
        Score("ssim", "SSIM (window 11, Gaussian)", "higher"),
        Score("ssim_uniform", "SSIM (window 11, uniform)", "higher"),
        Score("ssim_hole", "SSIM in the hole (Gaussian)", "higher"),
    )

    def measure(self, filled: FilledPicture) -> Mapping[str, float]:
        """See `Metric`."""
        return {
            "ssim": mean_similarity(filled.similarity),
            "ssim_uniform": ssim(filled.truth, filled.answer, window="uniform"),
            "ssim_hole": mean_similarity(filled.similarity, filled.hole),
        }
