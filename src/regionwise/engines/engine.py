"""What every engine is: something that fills a batch of crops, and says what it is."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

from regionwise.arrays import Floats

Device = Literal["auto", "cpu", "cuda"]

Detail = Literal["never", "judged", "always"]
"""Whether fills are given the photo's own detail: wholly, or as far as a judge believes it."""

DEVICES: tuple[Device, ...] = ("auto", "cpu", "cuda")


@dataclass(frozen=True)
class Traits:
    """What others need to know of an engine.

    Attributes:
        draws: whether another seed gives another answer.
        detail: whether `regionwise.filling.detail` does its fills good, which are soft.
        texture: strength of the texture that its fills are to be given where they get no detail,
            0 for none; see `regionwise.classical.texture`.
        file: the file of its weights; None for a method without weights.
    """

    draws: bool = False
    detail: Detail = "never"
    texture: float = 0.0
    file: Path | None = None


NO_TRAITS = Traits()
"""Of an engine that has nothing special."""


class Engine(Protocol):
    """Fills the holes of a batch of pictures of one size.

    What it answers at known pixels is ignored by its callers. An engine of your own needs these two
    members and no base class; `Traits()` says that nothing is special about it.
    """

    @property
    def traits(self) -> Traits:
        """What the engine is. Asking may wait until its weights are read."""
        ...

    def fill(self, images: Floats, masks: Floats) -> Floats:
        """Fill a batch.

        Args:
            images: N×3×H×W in [0, 1], zero where missing.
            masks: N×1×H×W, 1 = missing.

        Returns:
            N×3×H×W, near [0, 1].
        """
        ...


class Wrapper:
    """An engine round another one: it has that one's traits, and a `fill` of its own."""

    def __init__(self, engine: Engine) -> None:
        """Wrap an engine."""
        self.engine = engine

    @property
    def traits(self) -> Traits:
        """Those of the engine inside."""
        return self.engine.traits


def first_line(error: Exception) -> str:
    """What a library's error says, short and in one line."""
    return " ".join(str(error).split())[:200] or type(error).__name__
