"""How sure a mean is, and a difference between two models.

Photos differ far more than models do (20 to 32 dB), so 0.1 dB between two models says something
only if it is taken photo by photo. The bootstrap draws the photos again, with all that was measured
on each, many times: pictures of one photo under several masks are not independent, and are not
treated so.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

_RESAMPLES = 2000


@dataclass(frozen=True)
class Estimate:
    """A number with the interval that holds it with the given confidence; `count` pictures."""

    value: float
    low: float
    high: float
    count: int


def estimate(
    values: ArrayLike,
    groups: Sequence[object],
    over: ArrayLike | None = None,
    confidence: float = 0.95,
    seed: int = 0,
    median: bool = False,
) -> Estimate:
    """Mean or median of the values, or their sum over that of `over`, with its percentile interval.

    Args:
        values: n numbers.
        groups: what is drawn again as a whole, n names of photos.
        over: n numbers for a ratio of sums; ones by default.
        confidence: share of resamples inside the interval.
        seed: where chance comes from.
        median: take the median in place of the mean; goes without `over`.

    Returns:
        NaN for everything without a picture; no interval (NaN) with fewer than two photos.
    """
    top = np.asarray(values, float)
    bottom = np.ones_like(top) if over is None else np.asarray(over, float)
    if top.size == 0 or bottom.sum() == 0:
        return Estimate(math.nan, math.nan, math.nan, top.size)
    value = float(np.median(top)) if median else float(top.sum() / bottom.sum())
    _, group = np.unique([str(name) for name in groups], return_inverse=True)
    tops, bottoms = np.bincount(group, top), np.bincount(group, bottom)
    if len(tops) < 2:
        return Estimate(value, math.nan, math.nan, top.size)
    draws = _draws(len(tops), seed)
    with np.errstate(invalid="ignore", divide="ignore"):
        drawn = _medians(top, draws[:, group]) if median else (draws @ tops) / (draws @ bottoms)
    low, high = np.nanquantile(drawn, [(1 - confidence) / 2, (1 + confidence) / 2])
    return Estimate(value, float(low), float(high), top.size)


def paired_difference(
    values: ArrayLike,
    others: ArrayLike,
    groups: Sequence[object],
    confidence: float = 0.95,
    seed: int = 0,
    median: bool = False,
) -> Estimate:
    """Mean or median of values - others, measured on the same pictures; see `estimate`.

    An interval that leaves out 0 says that the models differ on photos like these.
    """
    difference = np.asarray(values, float) - np.asarray(others, float)
    return estimate(difference, groups, confidence=confidence, seed=seed, median=median)


def _medians(values: NDArray[np.float64], counts: NDArray[np.float64]) -> NDArray[np.float64]:
    """The median of n values, each of which counts as often as a row of `counts` (m×n) says."""
    order = np.argsort(values)
    below = np.cumsum(counts[:, order], axis=1)
    half = below[:, -1:] / 2
    ends = ((below >= half).argmax(axis=1), (below > half).argmax(axis=1))
    middle: NDArray[np.float64] = sum(values[order[one]] for one in ends) / 2
    return middle


def _draws(groups: int, seed: int) -> NDArray[np.float64]:
    """How often each group is drawn in each resample: resamples × groups."""
    rng = np.random.default_rng(seed)
    return rng.multinomial(groups, np.full(groups, 1 / groups), _RESAMPLES).astype(float)
