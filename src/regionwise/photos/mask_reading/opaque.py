"""Pictures without transparent pixels: white, strokes of a colour, a few values, or a photo."""

from __future__ import annotations

import numpy as np

from regionwise.arrays import Bytes, Mask
from regionwise.errors import MaskError
from regionwise.photos.colors import luminance
from regionwise.photos.mask_reading.copies import is_copy, painted_over
from regionwise.photos.mask_reading.pixels import (
    FEW,
    HALF,
    MANY,
    SMALL,
    color_counts,
    distance_of,
    is_neutral,
    is_saturated,
    whiteness,
)
from regionwise.photos.mask_reading.reading import MaskReading


def read_opaque(color: Bytes, photo: Bytes | None) -> MaskReading:
    """Read an opaque picture."""
    neutral = is_neutral(color)
    grey = color[..., 0] if neutral else luminance(color)
    white = np.asarray(grey >= HALF)
    counts = color_counts(color, neutral=neutral)
    if set(counts) <= {0, 0xFFFFFF} or len(counts) == 1:
        return MaskReading(white, "luminance")
    if photo is not None and neutral and not is_neutral(photo):
        photo = np.repeat(luminance(photo)[..., None], 3, axis=2)  # a copy may be grey alone
    if photo is not None and is_copy(color, photo):
        note = "the mask is a copy of the photo: what is painted over in it is filled"
        painted = painted_over(color, photo)
        seen = "" if painted.any() else "it is the photo itself, without paint on it"
        return MaskReading(painted, "difference", note, seen)
    _refuse_photos(grey, counts)
    strokes = None if neutral else _strokes(color, counts)
    if strokes is not None:
        return strokes
    if white.any() and not white.all():
        return MaskReading(white, "luminance")
    return _by_values(color) or MaskReading(white, "luminance")


def _refuse_photos(grey: Bytes, counts: dict[int, int]) -> None:
    """Refuse what has many greys in between, and so is no mask.

    Raises:
        MaskError: if it looks like a photo.
    """
    if grey.size < SMALL or len(counts) <= MANY:
        return
    middle = (grey > 32) & (grey < 223)
    between = int(np.count_nonzero(middle)) / grey.size
    values = np.count_nonzero(np.bincount(grey.ravel(), minlength=256))
    is_even = next(iter(counts.values())) >= 0.3 * grey.size
    if between > 0.2 and values > MANY and not (is_even and _is_smooth(grey, middle)):
        raise MaskError(
            f"the mask looks like a photo ({between:.0%} of it is neither black nor white); paint "
            "white on black, or on a copy of the photo of the same size; or say how to read it "
            "with `mask_from`"
        )


def _is_smooth(grey: Bytes, where: Mask) -> bool:
    """Whether grey runs evenly, as it does along the soft edge of a mask and in no photo."""
    bend = np.abs(np.diff(grey.astype(np.int16), 2, axis=1)) > 4
    return int(np.count_nonzero(bend & where[:, 1:-1])) < 0.3 * int(np.count_nonzero(where))


def _strokes(color: Bytes, counts: dict[int, int]) -> MaskReading | None:
    """Coloured strokes on an even background, if that is what it is."""
    key, number = next(iter(counts.items()))
    if number < 0.3 * color.shape[0] * color.shape[1]:
        return None
    ground = np.array([key >> 16, key >> 8 & 255, key & 255], np.uint8)
    distance = distance_of(color, np.broadcast_to(ground, color.shape))
    strokes = np.asarray(distance >= max(int(distance.max()) // 2, 1))
    saturated = is_saturated(color)
    if np.count_nonzero(saturated & strokes) <= 0.5 * np.count_nonzero(strokes):
        return None
    if np.array_equal(strokes, whiteness(color, None)):
        return MaskReading(strokes, "luminance")
    note = f"the mask has coloured strokes on {_name(key)}: the strokes are filled"
    return MaskReading(strokes, "strokes", note)


def _by_values(color: Bytes) -> MaskReading | None:
    """A picture that is dark or bright as a whole: by its values, if they are few."""
    grey = color.max(axis=2)
    values = np.flatnonzero(np.bincount(grey.ravel(), minlength=256))
    if len(values) == 2:
        low, high = values.tolist()
        note = f"the mask has two values, {low} and {high}: {high} is filled"
        return MaskReading(np.asarray(grey == high), "values", note)
    if 2 < len(values) <= FEW and values[-1] < HALF:
        note = f"the mask has {len(values)} values up to {values[-1]}: all above {values[0]} "
        return MaskReading(np.asarray(grey > values[0]), "values", note + "are filled")
    return None


def _name(key: int) -> str:
    return {0: "black", 0xFFFFFF: "white"}.get(key, f"#{key:06x}")
