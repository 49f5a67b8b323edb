"""Bring an engine's fills to the photo's own light at the hole's border."""

from __future__ import annotations

import numpy as np

from regionwise.arrays import Floats
from regionwise.classical.poisson import poisson_blend
from regionwise.engines.engine import Wrapper


class PoissonBlendedEngine(Wrapper):
    """An engine whose answers are blended, see `regionwise.classical.poisson`."""

    def fill(self, images: Floats, masks: Floats) -> Floats:
        """Fill a batch, see `regionwise.engines.engine.Engine`."""
        answers = self.engine.fill(images, masks)
        together = [
            poisson_blend(image, answer, mask[0] > 0.5)
            for image, answer, mask in zip(images, answers, masks, strict=True)
        ]
        return np.stack(together)
