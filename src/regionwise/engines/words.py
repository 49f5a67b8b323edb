"""Plain words for `--model`: which network fills, and what is done to its fill."""

from __future__ import annotations

from dataclasses import dataclass, replace

from regionwise.arrays import Floats
from regionwise.engines.engine import Detail, Engine, Traits, Wrapper


@dataclass(frozen=True)
class ModelWord:
    """What a word stands for.

    Attributes:
        title: one line for those who choose.
        model: name of the network.
        detail: see `Traits`.
        texture: whether a fill without detail is given the texture that the network's card asks.
    """

    title: str
    model: str
    detail: Detail
    texture: bool = True


WORDS = {
    "auto": ModelWord(
        "a network's fill with the photo's own detail, where that fits", "default", "judged"
    ),
    "fast": ModelWord("a small network alone, in a fraction of the time", "small", "never"),
    "sharp": ModelWord("the photo's own detail everywhere, fit or not", "default", "always"),
    "smooth": ModelWord("a network's fill as it is: soft", "default", "never", texture=False),
}
"""By word. It is a model's name wherever a model is named."""


class WordedEngine(Wrapper):
    """An engine whose fills are treated as a word says."""

    def __init__(self, engine: Engine, word: str) -> None:
        """Take the word's network.

        Args:
            engine: it.
            word: of `WORDS`.
        """
        super().__init__(engine)
        self._word = WORDS[word]

    @property
    def traits(self) -> Traits:
        """Those of the engine inside, with the word's treatment."""
        inside = self.engine.traits
        texture = inside.texture if self._word.texture else 0.0
        return replace(inside, detail=self._word.detail, texture=texture)

    def fill(self, images: Floats, masks: Floats) -> Floats:
        """Fill a batch, see `Engine`."""
        return self.engine.fill(images, masks)
