"""Fill a large picture by its polyphase components (DeepGIN, section 6.1)."""

from __future__ import annotations

import numpy as np

from regionwise.arrays import Floats
from regionwise.engines.engine import Engine, Wrapper

SIDE = 256
"""The largest side of a component, the size at which DeepGIN was trained."""


class PolyphaseEngine(Wrapper):
    """Every k-th pixel of every k-th row makes a picture of its own, k·k in all.

    Each shows the whole scene at 1/k of the size and is filled alone; then their pixels are put
    back to where they came from. k is the smallest number that makes no side longer than `side`,
    and a component that has no hole is left out.
    """

    def __init__(self, engine: Engine, side: int = SIDE) -> None:
        """Wrap the engine that fills the components."""
        super().__init__(engine)
        self._side = side

    def fill(self, images: Floats, masks: Floats) -> Floats:
        """Fill a batch, see `regionwise.engines.engine.Engine`."""
        step = -(-max(images.shape[2:]) // self._side)
        answers: Floats = images.copy()
        for top in range(step):
            for left in range(step):
                part = np.s_[:, :, top::step, left::step]
                image, mask = (np.ascontiguousarray(array[part]) for array in (images, masks))
                if mask.any():
                    answers[part] = self.engine.fill(image, mask)
        return answers
