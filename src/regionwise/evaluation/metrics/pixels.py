"""Distances pixel by pixel: L1, L2, PSNR, over the whole picture or inside the hole.

All take `truth` and `answer`, C×H×W in [0, 1] (any float or 8-bit integers over 255), and `hole`,
H×W bool, or None for the whole picture. Sums are in float64. An empty hole gives NaN.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.floating[Any]]
Hole = NDArray[np.bool_]

GREY = np.array([0.2125, 0.7154, 0.0721])
"""Weights of red, green and blue in scikit-image's `rgb2gray` (ITU-R BT.709)."""


def l1(truth: Picture, answer: Picture, hole: Hole | None = None) -> float:
    """Mean absolute difference, in [0, 1]. The papers' percentages are 100 times this."""
    return _mean(np.abs(_difference(truth, answer)), hole)


def l2(truth: Picture, answer: Picture, hole: Hole | None = None) -> float:
    """Mean squared difference, in [0, 1]."""
    return _mean(_difference(truth, answer) ** 2, hole)


def psnr(truth: Picture, answer: Picture, hole: Hole | None = None) -> float:
    """Peak signal to noise ratio in dB, -10 log10 of `l2`; infinite where nothing differs."""
    error = l2(truth, answer, hole)
    return math.inf if error == 0 else -10 * math.log10(error)


def l1_grey(truth: Picture, answer: Picture) -> float:
    """Sum of absolute differences over the sum of both pictures, in grey.

    The "mean absolute error" in the evaluation scripts that EdgeConnect and RN share. It depends on
    how bright the photo is and is no share of the range: do not compare it with `l1`.
    """
    grey_truth = np.tensordot(GREY, truth.astype(np.float64), axes=1)
    grey_answer = np.tensordot(GREY, answer.astype(np.float64), axes=1)
    total = float((grey_truth + grey_answer).sum())
    return float(np.abs(grey_truth - grey_answer).sum()) / total if total else 0.0


def _difference(truth: Picture, answer: Picture) -> NDArray[np.float64]:
    return answer.astype(np.float64) - truth.astype(np.float64)


def _mean(values: NDArray[np.float64], hole: Hole | None) -> float:
    chosen = values if hole is None else values[:, hole]
    return float(chosen.mean()) if chosen.size else math.nan
