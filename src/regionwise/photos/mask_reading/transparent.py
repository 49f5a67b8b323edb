"""Pictures with transparent pixels: strokes on nothing, erased parts, soft brushes."""

from __future__ import annotations

import numpy as np

from regionwise.arrays import Bytes, Mask
from regionwise.photos.mask_reading.copies import is_copy, painted_over
from regionwise.photos.mask_reading.pixels import (
    HALF,
    MANY,
    SMALL,
    color_counts,
    is_saturated,
    whiteness,
)
from regionwise.photos.mask_reading.reading import MaskReading


def read_transparent(color: Bytes, alpha: Bytes, photo: Bytes | None) -> MaskReading:
    """Read a picture with transparent pixels."""
    opaque = alpha >= HALF
    if not opaque.any():
        return _faint(alpha)
    if photo is not None:
        copy = np.where(opaque[..., None], color, photo)
        if is_copy(color, photo, opaque):
            painted = ~opaque | painted_over(copy, photo)
            note = "the mask is a copy of the photo: what is erased or painted over is filled"
            return MaskReading(painted, "difference", note)
    white = whiteness(color, alpha)
    framed = _border_share(opaque) >= 0.9
    if white.any() and not (framed and np.array_equal(white, opaque)):
        counts = color_counts(color[opaque][None])
        if len(counts) <= MANY or opaque.size < SMALL or not framed:
            return _contract_or_strokes(color, alpha, white)
    mask, what = by_alpha(color, alpha, photo)
    note = f"the mask is read by its transparency: {what} is filled"
    return MaskReading(mask, "alpha", note)


def _contract_or_strokes(color: Bytes, alpha: Bytes, white: Mask) -> MaskReading:
    """White on nothing, by contract; unless colours lie beside it, which are strokes too."""
    opaque = alpha >= HALF
    coloured = opaque & is_saturated(color)
    if np.count_nonzero(coloured & ~white) > 0.02 * np.count_nonzero(opaque):
        note = "the mask is read by its transparency: what is opaque is filled"
        return MaskReading(opaque, "alpha", note)
    return MaskReading(white, "luminance")


def _faint(alpha: Bytes) -> MaskReading:
    """Strokes of a brush so soft that nothing of them is opaque."""
    highest = int(alpha.max())
    if highest < 8:
        return MaskReading(np.zeros(alpha.shape, bool), "alpha")
    note = f"the mask is opaque nowhere, at most {highest / 255:.0%}: its strokes are filled"
    return MaskReading(np.asarray(alpha >= (highest + 1) // 2), "alpha", note)


def by_alpha(color: Bytes, alpha: Bytes, photo: Bytes | None) -> tuple[Mask, str]:
    """Strokes on nothing are opaque; a picture with a hole erased is opaque along its border."""
    opaque = np.asarray(alpha >= HALF)
    if _border_share(opaque) >= 0.5:
        return ~opaque, "what is transparent"
    return opaque, "what is opaque"


def _border_share(mask: Mask) -> float:
    border = np.concatenate([mask[0], mask[-1], mask[:, 0], mask[:, -1]])
    return float(np.count_nonzero(border) / border.size)
