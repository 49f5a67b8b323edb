"""All metrics of a filled picture that need no weights, by name, in the order of the tables."""

from __future__ import annotations

from collections.abc import Sequence

from regionwise.errors import DataError
from regionwise.evaluation.metrics.metric import FilledPicture, Metric
from regionwise.evaluation.metrics.naturalness import Naturalness, Seam
from regionwise.evaluation.metrics.pixels import L1, L2, Psnr
from regionwise.evaluation.metrics.sharpness import Sharpness
from regionwise.evaluation.metrics.ssim import Ssim

BY_NAME: dict[str, Metric] = {
    "psnr": Psnr(),
    "ssim": Ssim(),
    "l1": L1(),
    "l2": L2(),
    "sharpness": Sharpness(),
    "seam": Seam(),
    "naturalness": Naturalness(),
}
METRICS: tuple[Metric, ...] = tuple(
    metric for name, metric in BY_NAME.items() if name != "naturalness"
)
"""Those that are taken unless others are chosen: `Naturalness` takes longer than most fills."""


def metrics_named(text: str) -> tuple[Metric, ...]:
    """The metrics of a list of names with commas between them, `all`, or by default `METRICS`.

    Raises:
        DataError: one of the names is unknown.
    """
    names = [name.strip() for name in text.split(",") if name.strip()]
    if not names:
        return METRICS
    if names == ["all"]:
        return tuple(BY_NAME.values())
    if unknown := [name for name in names if name not in BY_NAME]:
        raise DataError(f"--metrics: {unknown[0]!r} is none of {', '.join(BY_NAME)}, all")
    return tuple(metric for name, metric in BY_NAME.items() if name in names)


def measure(filled: FilledPicture, metrics: Sequence[Metric] = METRICS) -> dict[str, float]:
    """The numbers of several metrics, by the names of their scores."""
    return {name: value for one in metrics for name, value in one.measure(filled).items()}
