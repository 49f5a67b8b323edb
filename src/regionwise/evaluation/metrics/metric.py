"""The numbers taken of one filled picture, and what they are called in tables."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from regionwise.evaluation.metrics.pixels import Hole, Picture, l1, l1_grey, l2, psnr
from regionwise.evaluation.metrics.ssim import mean_similarity, ssim, ssim_map
from regionwise.evaluation.metrics.texture import gradient_energy

PSNR_LIMIT = 100.0
"""dB that a picture without any error counts as, so that means stay finite."""


@dataclass(frozen=True)
class Metric:
    """A column of numbers.

    `scale`: tables print the value times this. `over`: the metric whose sum divides the sum of this
    one; without it the table prints the mean over pictures.
    """

    name: str
    title: str
    better: Literal["higher", "lower", "near 1"]
    scale: float = 1.0
    digits: int = 3
    over: str | None = None


PICTURE_METRICS: tuple[Metric, ...] = (
    Metric("psnr", "PSNR (dB)", "higher", digits=2),
    Metric("ssim", "SSIM (window 11, Gaussian)", "higher"),
    Metric("ssim_uniform", "SSIM (window 11, uniform)", "higher"),
    Metric("l1", "L1 (%)", "lower", 100, 2),
    Metric("l1_grey", "L1 (%), grey, relative", "lower", 100, 2),
    Metric("l2", "L2 (10^-3)", "lower", 1000, 2),
    Metric("psnr_hole", "PSNR in the hole (dB)", "higher", digits=2),
    Metric("ssim_hole", "SSIM in the hole (Gaussian)", "higher"),
    Metric("l1_hole", "L1 in the hole (%)", "lower", 100, 2),
    Metric("l2_hole", "L2 in the hole (10^-3)", "lower", 1000, 2),
    Metric("texture", "Texture in the hole (share of the truth's)", "near 1", over="texture_truth"),
)
"""Metrics that need the two pictures and the hole only, in the order of the tables."""


def measure(truth: Picture, answer: Picture, hole: Hole) -> dict[str, float]:
    """All of `PICTURE_METRICS`, and `texture_truth`, the gradient energy that divides `texture`.

    Args:
        truth: 3×H×W in [0, 1].
        answer: likewise.
        hole: H×W bool, True = was missing; with no missing pixel the values of the hole are NaN.
    """
    gaussian = ssim_map(truth, answer, "gaussian")
    return {
        "psnr": min(psnr(truth, answer), PSNR_LIMIT),
        "ssim": mean_similarity(gaussian),
        "ssim_uniform": ssim(truth, answer, window="uniform"),
        "l1": l1(truth, answer),
        "l1_grey": l1_grey(truth, answer),
        "l2": l2(truth, answer),
        "psnr_hole": min(psnr(truth, answer, hole), PSNR_LIMIT),
        "ssim_hole": mean_similarity(gaussian, hole),
        "l1_hole": l1(truth, answer, hole),
        "l2_hole": l2(truth, answer, hole),
        "texture": gradient_energy(answer, hole),
        "texture_truth": gradient_energy(truth, hole),
    }
