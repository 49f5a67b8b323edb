"""Average a network's answers to a picture turned and mirrored, as DeepGIN's released test does."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from regionwise.arrays import Floats
from regionwise.engines.engine import Wrapper

_Symmetry = Callable[[NDArray[Any]], NDArray[Any]]


def _turned(quarters: int) -> tuple[_Symmetry, _Symmetry]:
    """A rotation by so many times 90° and what undoes it."""
    return partial(np.rot90, k=quarters, axes=(2, 3)), partial(np.rot90, k=-quarters, axes=(2, 3))


def _mirrored(x: NDArray[Any]) -> NDArray[Any]:
    return x[..., ::-1]


SYMMETRIES: tuple[tuple[_Symmetry, _Symmetry], ...] = (
    *(_turned(quarters) for quarters in range(4)),
    (_mirrored, _mirrored),
)
"""Five views of N×C×H×W: turned by 0, 90, 180 and 270°, and mirrored; each with its inverse."""


class EnsembleEngine(Wrapper):
    """The mean of an engine's answers to `SYMMETRIES` of a picture: five times the work.

    What the answers agree on stays; where they differ they are blurred.
    """

    def fill(self, images: Floats, masks: Floats) -> Floats:
        """Fill a batch, see `regionwise.engines.engine.Engine`."""
        total = np.zeros_like(images)
        for view, back in SYMMETRIES:
            image, mask = (np.ascontiguousarray(view(array)) for array in (images, masks))
            total += back(self.engine.fill(image, mask))
        total /= len(SYMMETRIES)
        return total
