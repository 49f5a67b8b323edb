"""All metrics of a filled picture that need no weights, in the order of the tables."""

from __future__ import annotations

from collections.abc import Sequence

from regionwise.evaluation.metrics.metric import FilledPicture, Metric
from regionwise.evaluation.metrics.pixels import L1, L2, Psnr
from regionwise.evaluation.metrics.sharpness import Sharpness
from regionwise.evaluation.metrics.ssim import Ssim

METRICS: tuple[Metric, ...] = (Psnr(), Ssim(), L1(), L2(), Sharpness())


def measure(filled: FilledPicture, metrics: Sequence[Metric] = METRICS) -> dict[str, float]:
    """The numbers of several metrics, by the names of their scores."""
    return {name: value for one in metrics for name, value in one.measure(filled).items()}
