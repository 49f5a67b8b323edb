"""What a metric is: a number, or a few, of how good a filled picture is.

A metric is a pure function and, in the same file, a thin class that says what its numbers are
called. `regionwise.evaluation.metrics.registry` names all of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from regionwise.arrays import Mask
from regionwise.evaluation.metrics.similarity_map import ssim_map

Picture = NDArray[np.floating[Any]]
"""C×H×W in [0, 1]."""


@dataclass(frozen=True)
class Score:
    """A number that a metric takes of each picture, and how tables print it.

    Attributes:
        name: as results are stored.
        title: as tables print it.
        better: which way is better.
        scale: tables print the value times this.
        digits: after the point.
        over: the name of the number whose sum over pictures divides the sum of this one; without it
            the table prints the mean over pictures.
        median: the table prints the median over pictures, not the mean.
    """

    name: str
    title: str
    better: Literal["higher", "lower", "near 1"]
    scale: float = 1.0
    digits: int = 3
    over: str | None = None
    median: bool = False


@dataclass(frozen=True, eq=False)
class FilledPicture:
    """A filled picture beside the truth.

    Attributes:
        truth: 3×H×W in [0, 1].
        answer: likewise; known pixels are the truth's.
        hole: H×W, True = was missing.
        wider: the same with more of the known pixels round it, where this one is a part of a photo.
    """

    truth: Picture
    answer: Picture
    hole: Mask
    wider: FilledPicture | None = None

    @cached_property
    def similarity(self) -> NDArray[np.float64]:
        """The map of structural similarity, which two metrics take means of."""
        return ssim_map(self.truth, self.answer, "gaussian")


class Metric(Protocol):
    """Takes numbers of filled pictures."""

    @property
    def scores(self) -> tuple[Score, ...]:
        """What it measures, in the order of the tables."""
        ...

    def measure(self, filled: FilledPicture) -> Mapping[str, float]:
        """A number for each score, by its name, and those that scores are divided by (`over`).

        NaN for what can't be measured: numbers of the hole where nothing is missing.
        """
        ...
