"""The finders by name, and what is common to them: the scale they work at."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from PIL import Image

from regionwise.arrays import Floats, Mask, Pixels
from regionwise.errors import MaskError
from regionwise.find.dust import find_dust
from regionwise.find.scratches import find_scratches
from regionwise.find.text import find_text
from regionwise.find.watermark import find_watermark
from regionwise.photos.colors import luminance

Finder = Callable[[Sequence[Floats]], Mask]

_SIDE = 1600
"""Pixels of the longer side that a finder is given at most."""


def _of_first(find: Callable[[Floats], Mask]) -> Finder:
    return lambda greys: find(greys[0])


FINDERS: dict[str, Finder] = {
    "text": _of_first(find_text),
    "scratches": _of_first(find_scratches),
    "dust": _of_first(find_dust),
    "watermark": find_watermark,
}
"""Each takes H×W greys in [0, 1], of which the first is asked about, and gives H×W bool."""


def find(kind: str, color: Pixels, others: Sequence[Pixels] = ()) -> Mask:
    """Propose a mask.

    Args:
        kind: one of `FINDERS`.
        color: H×W×3 RGB, uint8 or uint16.
        others: photos of the same size and with the same watermark; other kinds ignore them.

    Returns:
        H×W, True = found; all False where nothing was.

    Raises:
        MaskError: if there is no such kind.
    """
    if kind not in FINDERS:
        raise MaskError(f"{kind!r} can't be found; give one of {', '.join(FINDERS)}")
    height, width = color.shape[:2]
    same = [other for other in others if other.shape[:2] == (height, width)]
    found = FINDERS[kind]([_grey(one) for one in (color, *same)])
    if found.shape == (height, width):
        return found
    large = Image.fromarray(found).resize((width, height), Image.Resampling.NEAREST)
    return np.asarray(large)


def _grey(color: Pixels) -> Floats:
    """Luminance in [0, 1], made smaller where the photo is large."""
    grey = np.asarray(luminance(color) / np.iinfo(color.dtype).max, np.float32)
    height, width = grey.shape
    scale = _SIDE / max(height, width)
    if scale >= 1:
        return grey
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return np.asarray(Image.fromarray(grey).resize(size, Image.Resampling.BOX))
