"""The discrete cosine transform, and the zigzag order. Source: ITU-T T.81, A.3.3, A.3.6."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from regionwise.arrays import Floats, Numbers


def _basis() -> Floats:
    """Row k, column x: c(k) cos((2 x + 1) k π / 16) / 2."""
    k, x = np.arange(8)[:, None], np.arange(8)
    waves = np.cos((2 * x + 1) * k * np.pi / 16) / 2
    waves[0] *= np.sqrt(0.5)
    return waves.astype(np.float32)


def _zigzag() -> Numbers:
    """For each place in zigzag order the index 8 × row + column."""
    places = [(row, column) for row in range(8) for column in range(8)]
    order = sorted(places, key=lambda at: (at[0] + at[1], at[0] if (at[0] + at[1]) % 2 else at[1]))
    return np.array([8 * row + column for row, column in order])


WAVES = _basis()
ZIGZAG = _zigzag()
#: 64 samples × 64 coefficients in zigzag order: column k is the picture of coefficient k.
PICTURES: Floats = np.ascontiguousarray(np.kron(WAVES, WAVES)[ZIGZAG].T)


def samples_of(coefficients: npt.NDArray[np.int32], steps: Numbers) -> Floats:
    """Samples, unclipped, of N×64 quantised coefficients in zigzag order: N×64, about 0 to 255."""
    samples: Floats = (coefficients * steps).astype(np.float32) @ PICTURES.T
    samples += np.float32(128)
    return samples


def coefficients_of(samples: Floats) -> Floats:
    """The coefficients, not quantised, of N×64 samples."""
    return np.asarray((samples - np.float32(128)) @ PICTURES, np.float32)
