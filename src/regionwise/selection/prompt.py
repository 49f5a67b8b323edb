"""What a user says of a thing, and what every segmenter is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from regionwise.arrays import Mask, Pixels
from regionwise.errors import MaskError


@dataclass(frozen=True)
class Prompt:
    """Points on the thing and beside it, or a box round it, in photo pixels.

    Attributes:
        inside: (x, y) of pixels of the thing.
        outside: (x, y) of pixels beside it.
        box: x, y, width, height of a rectangle in which all of it lies.
        wider: take what is so many steps larger than what the points mean at first, as of a wheel
            the car; after the largest the first comes again. Not every segmenter knows of it.

    Raises:
        MaskError: if nothing says where the thing is.
    """

    inside: tuple[tuple[int, int], ...] = ()
    outside: tuple[tuple[int, int], ...] = ()
    box: tuple[int, int, int, int] | None = None
    wider: int = 0

    def __post_init__(self) -> None:
        if not self.inside and self.box is None:
            raise MaskError(
                "nothing says where the thing is; give a point on it, or a box round it"
            )

    def check(self, height: int, width: int) -> None:
        """Refuse a prompt that does not lie in a photo of this size.

        Raises:
            MaskError: with one line.
        """
        for x, y in (*self.inside, *self.outside):
            if not (0 <= x < width and 0 <= y < height):
                raise MaskError(f"the point {x},{y} lies outside the photo of {width}×{height}")
        if self.box is not None:
            x, y, across, down = self.box
            if min(x + across, width) - max(x, 0) < 2 or min(y + down, height) - max(y, 0) < 2:
                raise MaskError(f"the box {x},{y},{across},{down} has no room in the photo")


class Segmenter(Protocol):
    """Finds the thing that a prompt means."""

    def select(self, color: Pixels, prompt: Prompt) -> Mask:
        """Select.

        Args:
            color: H×W×3 RGB, uint8 or uint16.
            prompt: lies within the photo.

        Returns:
            H×W, True = of the thing; all False where none was found.
        """
        ...
