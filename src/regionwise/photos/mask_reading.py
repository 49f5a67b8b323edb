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

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from regionwise.arrays import Bytes, Mask
from regionwise.errors import MaskError
from regionwise.photos.colors import luminance
from regionwise.photos.mask_ways import check_way, wanted_color
from regionwise.photos.photo import Photo
from regionwise.photos.raster import to_eight_bits

_HALF = 128
_SATURATED = 48  # between a pixel's lowest and highest channel
_NEAR = 24  # of 255: what a second JPEG encoding may change
_FEW = 32  # values that a mask of labels may have
_MANY = 64  # colours that only a photo has
_COPY_SHARE = 0.25  # of the pixels that must be as in the photo
_SMALL = 64 * 64  # pixels; in a smaller picture statistics say nothing
_LARGE = 1 << 20  # samples; of a larger picture some pixels are looked at first


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
        return MaskReading(_painted(color, other), way)
    if way == "luminance":
        return _told(MaskReading(_whiteness(color, alpha), way), color, alpha)
    if way == "alpha":
        if alpha is None:
            raise MaskError("mask_from is alpha, and the mask has no transparent pixels")
        return _told(MaskReading(_by_alpha(color, alpha, other)[0], way), color, alpha)
    if way != "auto":
        return _told(MaskReading(_of_color(color, alpha, way), "color"), color, alpha)
    if alpha is not None and alpha.min() < _HALF:
        return _told(_auto_with_alpha(color, alpha, other), color, alpha)
    return _told(_auto(color, other), color, alpha)


def _eight_bits(picture: Photo) -> tuple[Bytes, Bytes | None]:
    """Colour and alpha; labels of 16 bits stay labels, and so do those of a palette all black."""
    alpha = None if picture.alpha is None else to_eight_bits(picture.alpha)
    color = picture.color
    if color.dtype == np.uint16 and color.max(initial=0) <= _FEW:
        return color.astype(np.uint8), alpha
    if picture.mode == "P" and picture.native is not None and not color.any():
        return np.repeat(picture.native[..., None], 3, axis=2), alpha
    return to_eight_bits(color), alpha


def _whiteness(color: Bytes, alpha: Bytes | None) -> Mask:
    """Where a picture is white rather than black: its luminance, laid over black."""
    grey = luminance(color)
    if alpha is None:
        return np.asarray(grey >= _HALF)
    return np.asarray(grey.astype(np.uint32) * alpha >= np.uint32(_HALF * 255))


def _auto(color: Bytes, photo: Bytes | None) -> MaskReading:
    """Read an opaque picture."""
    neutral = _is_neutral(color)
    grey = color[..., 0] if neutral else luminance(color)
    white = np.asarray(grey >= _HALF)
    counts = _counts(color, neutral=neutral)
    if set(counts) <= {0, 0xFFFFFF} or len(counts) == 1:
        return MaskReading(white, "luminance")
    if photo is not None and _is_copy(color, photo):
        note = "the mask is a copy of the photo: what is painted over in it is filled"
        painted = _painted(color, photo)
        seen = "" if painted.any() else "it is the photo itself, without paint on it"
        return MaskReading(painted, "difference", note, seen)
    _refuse_photos(grey, counts)
    strokes = None if neutral else _strokes(color, counts)
    if strokes is not None:
        return strokes
    if white.any() and not white.all():
        return MaskReading(white, "luminance")
    return _by_values(color) or MaskReading(white, "luminance")


def _is_neutral(color: Bytes) -> bool:
    """Whether a picture is black, white and grey alone."""
    red = color[..., 0]
    return np.array_equal(red, color[..., 1]) and np.array_equal(red, color[..., 2])


def _counts(color: Bytes, *, neutral: bool = False) -> dict[int, int]:
    """How often each colour is there, as 0xrrggbb, the most frequent first."""
    found: npt.NDArray[np.intp]
    if neutral:
        counts = np.bincount(color[..., 0].ravel())
        values = np.flatnonzero(counts)
        numbers, found = counts[values], values * 0x010101
    elif color.size < _SMALL:
        colors, numbers = np.unique(_keys(color), return_counts=True)
        found = colors.astype(np.intp)
    else:
        counts = np.bincount(_keys(color))
        found = np.flatnonzero(counts)
        numbers = counts[found]
    order = np.argsort(-numbers, kind="stable")
    return dict(zip(found[order].tolist(), numbers[order].tolist(), strict=True))


def _keys(color: Bytes) -> npt.NDArray[np.uint32]:
    """Colours as numbers, 0xrrggbb."""
    red, green, blue = (color[..., channel].astype(np.uint32).ravel() for channel in range(3))
    return np.asarray(red * np.uint32(1 << 16) + green * np.uint32(1 << 8) + blue, np.uint32)


def _is_copy(color: Bytes, photo: Bytes, seen: Mask | None = None) -> bool:
    """Whether a large part of the picture is as in the photo, and not by chance.

    By chance even parts are alike, as two skies; where the photo is rough no other picture is.

    Args:
        color: of the picture.
        photo: of the same size.
        seen: where to compare them; everywhere by default.
    """
    sample = np.s_[::7, ::7]
    alike = np.count_nonzero(_distance(color[sample], photo[sample]) <= _NEAR)
    if color.size > _LARGE and alike < 0.5 * _COPY_SHARE * color[sample].size / 3 and seen is None:
        return False  # as nearly all masks are, told in no time
    distance = _distance(color, photo)
    rough = _rough(photo)
    if seen is not None:
        distance = np.where(seen, distance, np.uint8(255))
        rough &= seen
    part = distance.size if seen is None else max(int(np.count_nonzero(seen)), 1)
    for limit, fewest in ((0, _FEW // 4), (_NEAR, _MANY)):
        near = distance <= limit
        same = color[near]
        if len(same) < _COPY_SHARE * part:
            continue
        if np.count_nonzero(near & rough) < 0.5 * np.count_nonzero(rough):
            continue
        counts = _counts(same[None])
        if len(counts) > fewest and len(same) - max(counts.values()) > 0.05 * part:
            return True
    return False


def _rough(photo: Bytes) -> Mask:
    """Where a photo differs from its right or lower neighbour."""
    grey = luminance(photo).astype(np.int16)
    rough = np.zeros(grey.shape, bool)
    rough[:, :-1] |= np.abs(np.diff(grey, axis=1)) > 16
    rough[:-1] |= np.abs(np.diff(grey, axis=0)) > 16
    return rough


def _distance(color: Bytes, other: Bytes) -> Bytes:
    """The largest difference of a channel, of each pixel."""
    above, below = np.maximum(color, other), np.minimum(color, other)
    apart = above - below
    largest: Bytes = np.maximum(np.maximum(apart[..., 0], apart[..., 1]), apart[..., 2])
    return largest


def _painted(color: Bytes, photo: Bytes) -> Mask:
    """Where a copy differs from the photo.

    A lossless copy differs wherever it was painted. In one that was encoded again all of it differs
    a little: there the paint is what differs much, and specks are none. Pixels inside the paint
    that the photo had in that colour already belong to it.
    """
    from scipy.ndimage import binary_opening

    distance = _distance(color, photo)
    near = distance <= _NEAR
    rough = near & _rough(photo)  # where no second encoding gives the same pixels
    same = distance[rough if rough.any() else near]
    exact = int(np.count_nonzero(same)) <= 0.1 * same.size
    painted = np.asarray(
        distance > 0 if exact else binary_opening(distance > 2 * _NEAR, iterations=1)
    )
    rows, columns = np.flatnonzero(painted.any(axis=1)), np.flatnonzero(painted.any(axis=0))
    if not len(rows):
        return painted
    box = np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    painted[box] |= _enclosed(painted[box], color[box], 0 if exact else _NEAR)
    return painted


def _enclosed(painted: Mask, color: Bytes, tolerance: int) -> Mask:
    """Pixels of the paint's own colour that the paint encloses."""
    from scipy.ndimage import binary_closing, binary_fill_holes

    key = next(iter(_counts(color[painted][None])))
    paint = np.array([key >> 16, key >> 8 & 255, key & 255], np.uint8)
    closed = binary_fill_holes(binary_closing(np.pad(painted, 3), iterations=2))
    alike = _distance(color, np.broadcast_to(paint, color.shape)) <= tolerance
    return np.asarray(closed[3:-3, 3:-3] & alike)


def _refuse_photos(grey: Bytes, counts: dict[int, int]) -> None:
    """Refuse what has many greys in between, and so is no mask.

    Raises:
        MaskError: if it looks like a photo.
    """
    if grey.size < _SMALL or len(counts) <= _MANY:
        return
    middle = (grey > 32) & (grey < 223)
    between = int(np.count_nonzero(middle)) / grey.size
    values = np.count_nonzero(np.bincount(grey.ravel(), minlength=256))
    is_even = next(iter(counts.values())) >= 0.3 * grey.size
    if between > 0.2 and values > _MANY and not (is_even and _is_smooth(grey, middle)):
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
    distance = _distance(color, np.broadcast_to(ground, color.shape))
    strokes = np.asarray(distance >= max(int(distance.max()) // 2, 1))
    saturated = _is_saturated(color)
    if np.count_nonzero(saturated & strokes) <= 0.5 * np.count_nonzero(strokes):
        return None
    if np.array_equal(strokes, _whiteness(color, None)):
        return MaskReading(strokes, "luminance")
    note = f"the mask has coloured strokes on {_name(key)}: the strokes are filled"
    return MaskReading(strokes, "strokes", note)


def _is_saturated(color: Bytes) -> Mask:
    red, green, blue = (color[..., channel] for channel in range(3))
    highest = np.maximum(np.maximum(red, green), blue)
    lowest = np.minimum(np.minimum(red, green), blue)
    return np.asarray(highest - lowest >= _SATURATED)


def _by_values(color: Bytes) -> MaskReading | None:
    """A picture that is dark or bright as a whole: by its values, if they are few."""
    grey = color.max(axis=2)
    values = np.flatnonzero(np.bincount(grey.ravel(), minlength=256))
    if len(values) == 2:
        low, high = values.tolist()
        note = f"the mask has two values, {low} and {high}: {high} is filled"
        return MaskReading(np.asarray(grey == high), "values", note)
    if 2 < len(values) <= _FEW and values[-1] < _HALF:
        note = f"the mask has {len(values)} values up to {values[-1]}: all above {values[0]} "
        return MaskReading(np.asarray(grey > values[0]), "values", note + "are filled")
    return None


def _name(key: int) -> str:
    return {0: "black", 0xFFFFFF: "white"}.get(key, f"#{key:06x}")


def _auto_with_alpha(color: Bytes, alpha: Bytes, photo: Bytes | None) -> MaskReading:
    """Read a picture with transparent pixels."""
    opaque = alpha >= _HALF
    if not opaque.any():
        return _faint(alpha)
    if photo is not None:
        copy = np.where(opaque[..., None], color, photo)
        if _is_copy(color, photo, opaque):
            painted = ~opaque | _painted(copy, photo)
            note = "the mask is a copy of the photo: what is erased or painted over is filled"
            return MaskReading(painted, "difference", note)
    white = _whiteness(color, alpha)
    framed = _border_share(opaque) >= 0.9
    if white.any() and not (framed and np.array_equal(white, opaque)):
        counts = _counts(color[opaque][None])
        if len(counts) <= _MANY or opaque.size < _SMALL or not framed:
            return _contract_or_strokes(color, alpha, white)
    mask, what = _by_alpha(color, alpha, photo)
    note = f"the mask is read by its transparency: {what} is filled"
    return MaskReading(mask, "alpha", note)


def _contract_or_strokes(color: Bytes, alpha: Bytes, white: Mask) -> MaskReading:
    """White on nothing, by contract; unless colours lie beside it, which are strokes too."""
    opaque = alpha >= _HALF
    coloured = opaque & _is_saturated(color)
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


def _by_alpha(color: Bytes, alpha: Bytes, photo: Bytes | None) -> tuple[Mask, str]:
    """Strokes on nothing are opaque; a picture with a hole erased is opaque along its border."""
    opaque = np.asarray(alpha >= _HALF)
    if _border_share(opaque) >= 0.5:
        return ~opaque, "what is transparent"
    return opaque, "what is opaque"


def _border_share(mask: Mask) -> float:
    border = np.concatenate([mask[0], mask[-1], mask[:, 0], mask[:, -1]])
    return float(np.count_nonzero(border) / border.size)


def _of_color(color: Bytes, alpha: Bytes | None, way: str) -> Mask:
    """Where a picture has a colour, and is not transparent."""
    wanted = np.array(wanted_color(way), np.uint8)
    near = _distance(color, np.broadcast_to(wanted, color.shape)) <= _NEAR
    return np.asarray(near if alpha is None else near & (alpha >= _HALF))


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
    opaque = np.count_nonzero(alpha >= _HALF)
    return f"{seen} of 255, {opaque:,} are opaque"
