"""Give an engine's fills the fine texture of the known region."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from regionwise.arrays import Floats
from regionwise.classical.texture import texture
from regionwise.engines.engine import Traits, Wrapper


class TexturedEngine(Wrapper):
    """An engine whose fills are given texture, as strongly as its traits ask for.

    See `regionwise.classical.texture`.
    """

    @property
    def traits(self) -> Traits:
        """Those of the engine inside, which needs no more texture."""
        return replace(self.engine.traits, texture=0.0)

    def fill(self, images: Floats, masks: Floats) -> Floats:
        """Fill a batch, see `regionwise.engines.engine.Engine`."""
        strength = np.float32(self.engine.traits.texture)
        answers = self.engine.fill(images, masks)
        for answer, image, mask in zip(answers, images, masks[:, 0] > 0.5, strict=True):
            filled = np.where(mask, answer, image).transpose(1, 2, 0)
            answer += strength * texture(filled, mask).transpose(2, 0, 1)
        return np.clip(answers, 0, 1)
