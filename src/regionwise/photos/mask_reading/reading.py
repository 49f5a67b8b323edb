"""A mask, and how it was read."""

from __future__ import annotations

from dataclasses import dataclass

from regionwise.arrays import Mask


@dataclass(frozen=True, eq=False)
class MaskReading:
    """A mask, and how it was read.

    Attributes:
        mask: height×width bool, True = missing.
        way: luminance, values, strokes, alpha, difference or color.
        note: a line that says which reading was taken, where it was a guess; else empty.
        seen: what the picture looks like, for a mask that turns out empty; else empty.
    """

    mask: Mask
    way: str
    note: str = ""
    seen: str = ""
