"""The eight EXIF orientations: from the stored pixels to the upright picture, and back.

Source: CIPA DC-008 (EXIF 2.32), tag 0x0112. An upright picture is the stored one, transposed or
not, with its rows and its columns reversed or not. Arrays come back as views: nothing is copied.
"""

from __future__ import annotations

import numpy as np

from regionwise.arrays import Pixels

# orientation: (transposed, rows reversed, columns reversed)
_STEPS = {
    1: (False, False, False),
    2: (False, False, True),
    3: (False, True, True),
    4: (False, True, False),
    5: (True, False, False),
    6: (True, False, True),
    7: (True, True, True),
    8: (True, True, False),
}


def known_orientation(value: object) -> int:
    """An orientation of 1 to 8; anything else that a file may say counts as 1 (upright)."""
    return value if isinstance(value, int) and value in _STEPS else 1


def upright(stored: Pixels, orientation: int) -> Pixels:
    """Turn stored pixels (height×width, or with channels) the way they are shown: a view."""
    transposed, rows, columns = _STEPS[orientation]
    turned = np.swapaxes(stored, 0, 1) if transposed else stored
    return turned[:: -1 if rows else 1, :: -1 if columns else 1]


def stored(shown: Pixels, orientation: int) -> Pixels:
    """Turn upright pixels the way the file holds them, the inverse of `upright`: a view."""
    transposed, rows, columns = _STEPS[orientation]
    turned = shown[:: -1 if rows else 1, :: -1 if columns else 1]
    return np.swapaxes(turned, 0, 1) if transposed else turned


def stored_corner(
    top: int, left: int, window: tuple[int, int], size: tuple[int, int], orientation: int
) -> tuple[int, int]:
    """Where a window of the upright picture lies in the stored one.

    Args:
        top: first row of the window, upright.
        left: first column of the window, upright.
        window: (height, width) of the window, upright.
        size: (height, width) of the picture, upright.
        orientation: 1 to 8.

    Returns:
        (top, left) of the same window among the stored pixels.
    """
    transposed, rows, columns = _STEPS[orientation]
    if rows:
        top = size[0] - top - window[0]
    if columns:
        left = size[1] - left - window[1]
    return (left, top) if transposed else (top, left)
