"""Fill a large picture by its polyphase components (DeepGIN, section 6.1)."""

from __future__ import annotations

import numpy as np

from regionwise.engines import Engine, Floats

SIDE = 256
"""The largest side of a component, the size at which DeepGIN was trained."""


class PolyphaseEngine:
    """Every k-th pixel of every k-th row makes a picture of its own, k·k in all.

    Each shows the whole scene at 1/k of the size and is filled alone; then their pixels are put
    back to where they came from. k is the smallest number that makes no side longer than `side`,
    and a component that has no hole is left out.
    """

    def __init__(self, engine: Engine, side: int = SIDE) -> None:
        """Wrap the engine that fills the components."""
        self._engine = engine
        self._side = side

    def fill(self, images: Floats, masks: Floats) -> Floats:
        """Fill a batch, see `regionwise.engines.Engine`."""
        step = -(-max(images.shape[2:]) // self._side)
        answers: Floats = images.copy()
        for top in range(step):
            for left in range(step):
                part = np.s_[:, :, top::step, left::step]
                image, mask = (np.ascontiguousarray(array[part]) for array in (images, masks))
                if mask.any():
                    answers[part] = self._engine.fill(image, mask)
        return answers
