"""A filled hole as the file's own orientation sees it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, eq=False)
class PlacedFill:
    """A window of the stored picture in which the pixels under `hole` are new.

    Attributes:
        top: first row of the window.
        left: first column of the window.
        color: height×width×3, RGB.
        hole: height×width bool.
    """

    top: int
    left: int
    color: npt.NDArray[Any]
    hole: npt.NDArray[np.bool_]


class TooManyPixelsError(ValueError):
    """The header promises more pixels than allowed. Nothing was decoded yet."""


def check_size(width: int, height: int, max_pixels: int) -> None:
    """Refuse a decompression bomb by its header.

    Raises:
        TooManyPixelsError: if width × height is above `max_pixels`.
    """
    if width * height > max_pixels:
        raise TooManyPixelsError(
            f"has {width}×{height} pixels, more than the limit of {max_pixels:,}; scale it down"
        )
