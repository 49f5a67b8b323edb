"""What a picture says as a mask, however a tool of its maker's writes masks.

By contract white is missing. Where a picture says nothing that way, or plainly means another, it is
taken as it is meant, and what it was taken for is told:

    values      two values, or a few small ones (0 and 1, labels): the higher are missing
    strokes     colours on an even background: what differs from the background is missing
    alpha       strokes on nothing: what is opaque is missing; a hole erased: what is transparent is
    difference  a copy of the photo with paint on it: what differs from the photo is missing
    color       one colour, as it was asked for
"""

from __future__ import annotations

from typing import Any

import numpy as np

from regionwise.arrays import Bytes, Mask
from regionwise.errors import MaskError
from regionwise.photos.colors import luminance
from regionwise.photos.mask_reading.copies import painted_over
from regionwise.photos.mask_reading.opaque import read_opaque
from regionwise.photos.mask_reading.pixels import FEW, HALF, NEAR, distance_of, whiteness
from regionwise.photos.mask_reading.reading import MaskReading
from regionwise.photos.mask_reading.transparent import by_alpha, read_transparent
from regionwise.photos.mask_ways import check_way, wanted_color
from regionwise.photos.photo import Photo
from regionwise.photos.raster import to_eight_bits

__all__ = ["MaskReading", "read_picture"]


def read_picture(picture: Photo, photo: Photo | None = None, way: str = "auto") -> MaskReading:
    """Read a picture as a mask.

    Args:
        picture: the mask's file or array, decoded.
        photo: what is to be filled, if it is known; a copy of it with paint on it is recognised.
        way: auto, luminance, alpha, difference, or color=#rrggbb.

    Raises:
        MaskError: if the picture is a photo rather than a mask, or can't be read in the way asked.
    """
    check_way(way)
    color, alpha = _eight_bits(picture)
    other = None if photo is None else _eight_bits(photo)[0]
    if other is not None and other.shape != color.shape:
        other = None
    if way == "difference":
        if other is None:
            raise MaskError(
                "mask_from is difference, and the mask has not the photo's size; "
                "give a copy of the photo with paint on it"
            )
        return MaskReading(painted_over(color, other), way)
    if way == "luminance":
        return _told(MaskReading(whiteness(color, alpha), way), color, alpha)
    if way == "alpha":
        if alpha is None:
            raise MaskError("mask_from is alpha, and the mask has no transparent pixels")
        return _told(MaskReading(by_alpha(color, alpha, other)[0], way), color, alpha)
    if way != "auto":
        return _told(MaskReading(_of_color(color, alpha, way), "color"), color, alpha)
    if alpha is not None and alpha.min() < HALF:
        return _told(read_transparent(color, alpha, other), color, alpha)
    return _told(read_opaque(color, other), color, alpha)


def _eight_bits(picture: Photo) -> tuple[Bytes, Bytes | None]:
    """Colour and alpha; labels of 16 bits stay labels, and so do those of a palette all black."""
    alpha = None if picture.alpha is None else to_eight_bits(picture.alpha)
    color = picture.color
    if color.dtype == np.uint16 and color.max(initial=0) <= FEW:
        return color.astype(np.uint8), alpha
    if picture.mode == "P" and picture.native is not None and not color.any():
        return np.repeat(picture.native[..., None], 3, axis=2), alpha
    return to_eight_bits(color), alpha


def _of_color(color: Bytes, alpha: Bytes | None, way: str) -> Mask:
    """Where a picture has a colour, and is not transparent."""
    wanted = np.array(wanted_color(way), np.uint8)
    near = distance_of(color, np.broadcast_to(wanted, color.shape)) <= NEAR
    return np.asarray(near if alpha is None else near & (alpha >= HALF))


def _told(reading: MaskReading, color: Bytes, alpha: Bytes | None) -> MaskReading:
    """The reading, and for an empty mask what was seen in the picture."""
    if reading.mask.any() or reading.seen:
        return reading
    return MaskReading(reading.mask, reading.way, "", _seen(color, alpha))


def _seen(color: Bytes, alpha: Bytes | None) -> str:
    grey: Any = luminance(color)
    not_black = np.count_nonzero(color.any(axis=2))
    if not not_black and alpha is None:
        return f"all of its {grey.size:,} pixels are black"
    seen = f"{not_black:,} of its {grey.size:,} pixels are not black, the brightest is {grey.max()}"
    if alpha is None:
        return f"{seen} of 255"
    opaque = np.count_nonzero(alpha >= HALF)
    return f"{seen} of 255, {opaque:,} are opaque"
