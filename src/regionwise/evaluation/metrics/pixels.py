"""Distances pixel by pixel: L1, L2, PSNR, over the whole picture or inside the hole.

All take `truth` and `answer`, C×H×W in [0, 1] (any float or 8-bit integers over 255), and `hole`,
H×W bool, or None for the whole picture. Sums are in float64. An empty hole gives NaN.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from regionwise.arrays import Mask
from regionwise.evaluation.metrics.metric import FilledPicture, Picture, Score

PSNR_LIMIT = 100.0
"""dB that a picture without any error counts as, so that means stay finite."""

GREY = np.array([0.2125, 0.7154, 0.0721])
"""Weights of red, green and blue in scikit-image's `rgb2gray` (ITU-R BT.709)."""


def l1(truth: Picture, answer: Picture, hole: Mask | None = None) -> float:
    """Mean absolute difference, in [0, 1]. The papers' percentages are 100 times this."""
    return _mean(np.abs(_difference(truth, answer)), hole)


def l2(truth: Picture, answer: Picture, hole: Mask | None = None) -> float:
    """Mean squared difference, in [0, 1]."""
    return _mean(_difference(truth, answer) ** 2, hole)


def psnr(truth: Picture, answer: Picture, hole: Mask | None = None) -> float:
    """Peak signal to noise ratio in dB, -10 log10 of `l2`; infinite where nothing differs."""
    error = l2(truth, answer, hole)
    return math.inf if error == 0 else -10 * math.log10(error)


def l1_grey(truth: Picture, answer: Picture) -> float:
    """Sum of absolute differences over the sum of both pictures, in grey.

    The "mean absolute error" of EdgeConnect's evaluation script. It depends on how bright the photo
    is and is no share of the range: do not compare it with `l1`.
    """
    grey_truth = np.tensordot(GREY, truth.astype(np.float64), axes=1)
    grey_answer = np.tensordot(GREY, answer.astype(np.float64), axes=1)
    total = float((grey_truth + grey_answer).sum())
    return float(np.abs(grey_truth - grey_answer).sum()) / total if total else 0.0


def l1_rn(truth: Picture, answer: Picture) -> float:
    """Mean absolute difference of the channels' means, in [0, 1].

    The L1 of RN's evaluation script, whose figures are percentages of it. Errors of the channels
    that go opposite ways cancel: it is at most `l1`, and on grey errors the same.
    """
    return float(np.abs(_difference(truth, answer).mean(axis=0)).mean())


def _difference(truth: Picture, answer: Picture) -> NDArray[np.float64]:
    return answer.astype(np.float64) - truth.astype(np.float64)


def _mean(values: NDArray[np.float64], hole: Mask | None) -> float:
    chosen = values if hole is None else values[:, hole]
    return float(chosen.mean()) if chosen.size else math.nan


class Psnr:
    """`psnr` of the whole picture and of the hole."""

    scores = (
        Score("psnr", "PSNR (dB)", "higher", digits=2),
        Score("psnr_hole", "PSNR in the hole (dB)", "higher", digits=2),
    )

    def measure(self, filled: FilledPicture) -> Mapping[str, float]:
        """See `Metric`."""
        truth, answer = filled.truth, filled.answer
        return {
            "psnr": min(psnr(truth, answer), PSNR_LIMIT),
            "psnr_hole": min(psnr(truth, answer, filled.hole), PSNR_LIMIT),
        }


class L1:
    """`l1` of the whole picture and of the hole, `l1_grey` and `l1_rn`."""

    scores = (
        Score("l1", "L1 (%)", "lower", 100, 2),
        Score("l1_grey", "L1 (%), grey, relative", "lower", 100, 2),
        Score("l1_rn", "L1 (%), RN's", "lower", 100, 2),
        Score("l1_hole", "L1 in the hole (%)", "lower", 100, 2),
    )

    def measure(self, filled: FilledPicture) -> Mapping[str, float]:
        """See `Metric`."""
        return {
            "l1": l1(filled.truth, filled.answer),
            "l1_grey": l1_grey(filled.truth, filled.answer),
            "l1_rn": l1_rn(filled.truth, filled.answer),
            "l1_hole": l1(filled.truth, filled.answer, filled.hole),
        }


class L2:
    """`l2` of the whole picture and of the hole."""

    scores = (
        Score("l2", "L2 (10^-3)", "lower", 1000, 2),
        Score("l2_hole", "L2 in the hole (10^-3)", "lower", 1000, 2),
    )

    def measure(self, filled: FilledPicture) -> Mapping[str, float]:
        """See `Metric`."""
        return {
            "l2": l2(filled.truth, filled.answer),
            "l2_hole": l2(filled.truth, filled.answer, filled.hole),
        }
