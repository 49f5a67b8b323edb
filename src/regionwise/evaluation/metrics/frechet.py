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

    Sums are taken about the first feature vector, so that large means cost no digits.
    """

    def __init__(self) -> None:
        self.count = 0
        self._origin = np.zeros(0)
        self._sum = np.zeros(0)
        self._products = np.zeros((0, 0))

    def update(self, features: NDArray[np.floating[Any]]) -> None:
        """Take in N×D features."""
        batch = np.asarray(features, np.float64)
        if not len(batch):
            return
        if not self.count:
            size = batch.shape[1]
            self._origin = batch[0].copy()
            self._sum, self._products = np.zeros(size), np.zeros((size, size))
        shifted = batch - self._origin
        self.count += len(batch)
        self._sum += shifted.sum(axis=0)
        self._products += shifted.T @ shifted

    @property
    def mean(self) -> NDArray[np.float64]:
        """D means."""
        return self._origin + self._sum / self.count

    @property
    def covariance(self) -> NDArray[np.float64]:
        """D×D, with n - 1."""
        shift = self._sum / self.count
        return (self._products - self.count * np.outer(shift, shift)) / (self.count - 1)


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
