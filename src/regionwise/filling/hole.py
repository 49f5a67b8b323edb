"""Where a photo's hole is: a mask, boxes, or its transparent pixels; grown or shrunk."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import cast

import numpy as np

from regionwise.errors import MaskError
from regionwise.filling.options import Box, FillOptions
from regionwise.photos import masks
from regionwise.photos.masks import FoundMask
from regionwise.photos.photo import Photo
from regionwise.photos.reading import MAX_PIXELS, Source


def find_hole(
    photo: Photo,
    mask: Source | None,
    options: FillOptions,
    *,
    name: str | None = None,
    max_pixels: int = MAX_PIXELS,
) -> FoundMask:
    """The hole as H×W bool, from a mask, boxes, or the photo's transparent pixels.

    Args:
        photo: upright.
        mask: white is missing, see `regionwise.photos.masks.find_mask`.
        options: `box`, `mask_from`, `invert_mask`, `resize_mask`, `shrink`, `grow`.
        name: what to call the mask in messages.
        max_pixels: of the mask.

    Raises:
        MaskError: if there is none, or it doesn't fit.
    """
    if mask is not None and options.box is not None:
        raise MaskError("both a mask and a box were given; give one of them")
    if mask is None and options.mask_from != "auto":
        raise MaskError(f"mask_from is {options.mask_from}, and there is no mask; give one")
    if mask is not None:
        found = masks.find_mask(
            mask,
            photo,
            invert=options.invert_mask,
            resize=options.resize_mask,
            way=options.mask_from,
            name=name,
            max_pixels=max_pixels,
        )
    elif options.box is not None:
        found = FoundMask(_of_boxes(options.box, photo), "box")
    else:
        found = FoundMask(masks.mask_from_alpha(photo), "alpha")
    if mask is None and options.invert_mask:
        found = replace(found, mask=masks.invert(found.mask))
    return resized(found, options)


def resized(found: FoundMask, options: FillOptions) -> FoundMask:
    """The hole shrunk, then grown, as the options say."""
    hole = found.mask
    hole = masks.shrink(hole, options.shrink) if options.shrink else hole
    hole = masks.grow(hole, options.grow) if options.grow else hole
    if found.mask.any() and not hole.any():
        seen = f"shrinking by {options.shrink:g} pixels leaves nothing of it"
        return replace(found, mask=hole, seen=seen)
    return replace(found, mask=hole)


def _of_boxes(given: Box | Sequence[Box], photo: Photo) -> np.ndarray:
    size = (photo.height, photo.width)
    hole = np.zeros(size, dtype=bool)
    for corners in _boxes(given):
        hole |= masks.mask_from_box(*corners, size)
    return hole


def _boxes(given: Box | Sequence[Box]) -> list[tuple[int, int, int, int]]:
    """One box or several, as text or as numbers."""
    if isinstance(given, str):
        return masks.parse_boxes(given)
    try:
        several = [one for one in given if not isinstance(one, (int, np.integer, float))]
    except TypeError:
        return [masks.check_box(given)]
    if not any(not isinstance(one, str) or "," in one for one in several):
        return [masks.check_box(given)]
    found = []
    for one in cast(Sequence[Box], given):
        found += masks.parse_boxes(one) if isinstance(one, str) else [masks.check_box(one)]
    return found
