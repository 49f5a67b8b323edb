"""Fréchet distance between two sets of features (Heusel et al., NeurIPS 2017).

Of the Inception network's features it is FID. Of any other features it is a Fréchet distance too,
but not FID, and its values can't be compared with FID's.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray


class Moments:
    """Mean and covariance of a stream of features, in memory that does not grow.

    Parts are merged by Chan, Golub and LeVeque (1983): each has its own mean, so that large means
    cost no digits, and processes can share the work.
    """

    def __init__(
        self,
        count: int = 0,
        mean: NDArray[np.float64] | None = None,
        scatter: NDArray[np.float64] | None = None,
    ) -> None:
        """Begin with nothing, or with what was found before.

        Args:
            count: of features.
            mean: D means.
            scatter: D×D, the sum of the products of what differs from the mean.
        """
        self.count = count
        self.mean = np.zeros(0) if mean is None else mean
        self.scatter = np.zeros((0, 0)) if scatter is None else scatter

    def update(self, features: NDArray[np.floating[Any]]) -> None:
        """Take in N×D features."""
        batch = np.asarray(features, np.float64)
        if len(batch):
            mean = batch.mean(axis=0)
            apart = batch - mean
            self._merge(len(batch), mean, apart.T @ apart if len(batch) > 1 else None)

    def merge(self, other: Moments) -> None:
        """Take in what another one has seen."""
        if other.count:
            self._merge(other.count, other.mean, other.scatter)

    def _merge(
        self, count: int, mean: NDArray[np.float64], scatter: NDArray[np.float64] | None
    ) -> None:
        """Take in a part; one of a single feature has no scatter."""
        if not self.count:
            self.mean = np.zeros_like(mean)
            self.scatter = np.zeros((len(mean), len(mean)))
        apart = mean - self.mean
        together = self.count + count
        self.scatter += np.outer(apart, apart * (self.count * count / together))
        if scatter is not None:
            self.scatter += scatter
        self.mean = self.mean + apart * (count / together)
        self.count = together

    @property
    def covariance(self) -> NDArray[np.float64]:
        """D×D, with n - 1."""
        return self.scatter / (self.count - 1)


def frechet_distance(first: Moments, second: Moments) -> float:
    """|µ₁ - µ₂|² + tr(C₁ + C₂ - 2 (C₁ C₂)^½); NaN with fewer than two features on a side.

    The trace of the root is the sum of the roots of the eigenvalues of the symmetric
    C₁^½ C₂ C₁^½, which keeps it real where there are fewer pictures than features.
    """
    if min(first.count, second.count) < 2:
        return math.nan
    values, vectors = np.linalg.eigh(first.covariance)
    root = (vectors * np.sqrt(np.clip(values, 0, None))) @ vectors.T
    middle = np.linalg.eigvalsh(root @ second.covariance @ root)
    difference = first.mean - second.mean
    trace = np.trace(first.covariance) + np.trace(second.covariance)
    distance = difference @ difference + trace - 2 * np.sqrt(np.clip(middle, 0, None)).sum()
    return max(float(distance), 0.0)
