"""Masks: from a file, an array, the photo's alpha or a box. True means missing, everywhere."""

from __future__ import annotations

import operator
import os
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from regionwise.arrays import Mask
from regionwise.errors import MaskError, PhotoError, RegionwiseWarning
from regionwise.photos.frames import count_frames
from regionwise.photos.mask_reading import read_picture
from regionwise.photos.number_tiff import read_numbers
from regionwise.photos.photo import Photo
from regionwise.photos.reading import MAX_PIXELS, Source, bytes_of, name_of, read_photo

_HUGE = 0.6  # of the photo; beyond it a network mostly invents
_TILE = 512


@dataclass(frozen=True, eq=False)
class FoundMask:
    """A mask, how it was found, and what is to be told of that.

    Attributes:
        mask: height×width bool, True = missing.
        way: how a picture was read (see `regionwise.photos.mask_reading`), or box, or alpha.
        notes: lines for the user: a reading that was a guess, a mask that was turned.
        seen: for an empty mask, what is in its picture.
    """

    mask: Mask
    way: str
    notes: tuple[str, ...] = ()
    seen: str = ""

    @property
    def warnings(self) -> tuple[str, ...]:
        """All that is to be told, of an empty and of a huge mask too."""
        message = mask_warning(self.mask, self.seen)
        return (*self.notes, message) if message else self.notes


def read_mask(
    source: Source,
    *,
    size: tuple[int, int] | None,
    invert: bool = False,
    resize: bool = False,
    max_pixels: int = MAX_PIXELS,
) -> Mask:
    """Read a mask: white is missing.

    As `find_mask`, where nothing is known of the photo but its size.

    Raises:
        MaskError: if it can't be read or has another size than the photo.

    Warns:
        RegionwiseWarning: if the reading is a guess.
    """
    found = find_mask(source, size=size, invert=invert, resize=resize, max_pixels=max_pixels)
    for note in found.notes:
        warnings.warn(note, RegionwiseWarning, stacklevel=2)
    return found.mask


def find_mask(
    source: Source,
    photo: Photo | None = None,
    *,
    size: tuple[int, int] | None = None,
    invert: bool = False,
    resize: bool = False,
    way: str = "auto",
    name: str | None = None,
    max_pixels: int = MAX_PIXELS,
) -> FoundMask:
    """Read a mask: white is missing.

    Grey is cut at 50 %: 128 of 255 and above is missing. Colours count by their luminance, and
    transparent pixels as black: a mask painted white on nothing works. An array may be bool, 0 and
    1, 0 to 255 (8 bits), 0 to 65535 (16 bits) or float in [0, 1]. What can't be meant like that is
    read as it is meant, see `regionwise.photos.mask_reading`.

    Args:
        source: a file, its bytes, an open file, a Pillow image or an array.
        photo: what is to be filled: a copy of it with paint on it is recognised, and a mask in its
            sensor's orientation is turned.
        size: (height, width) of the photo; by default that of `photo`; None takes any.
        invert: the file says white for known.
        resize: scale a mask of another size to the photo's, by the nearest pixel.
        way: how to read it: auto, luminance, alpha, difference, or color=#rrggbb.
        name: what to call it in messages, where the source doesn't say.
        max_pixels: more are refused before anything is decoded.

    Returns:
        The mask, upright.

    Raises:
        MaskError: if it can't be read or has another size than the photo.
    """
    try:
        if isinstance(source, (str, os.PathLike, bytes)):
            name = name or name_of(source)
            data = bytes_of(source, name)
            numbers = read_numbers(data, max_pixels)
            source = _of_one_picture(data, name) if numbers is None else numbers
        picture = read_photo(_plain(source), name=name, max_pixels=max_pixels)
    except PhotoError as error:
        raise MaskError(f"the mask can't be used: {error}") from error
    if photo is not None:
        size = size or (photo.height, photo.width)
    notes = []
    if photo is not None and _lies_as_the_sensor(picture, photo):
        picture = picture.turned(photo.orientation)
        notes.append("the mask lies as the camera's sensor does: it is turned as the photo is")
    reading = read_picture(picture, photo, way)
    notes += [reading.note] if reading.note else []
    mask = ~reading.mask if invert else reading.mask
    if size is not None and mask.shape != size:
        if not resize:
            raise MaskError(_of_another_size(mask, size))
        mask = _resized(mask, size)
    return FoundMask(mask, reading.way, tuple(notes), reading.seen)


def _of_one_picture(data: bytes, name: str) -> bytes:
    """The file's bytes, if it holds one picture.

    Raises:
        MaskError: if it holds several.
    """
    pictures = count_frames(data, name)
    if pictures > 1:
        raise MaskError(f"{name} holds {pictures} pictures; give a file of one as mask")
    return data


def _lies_as_the_sensor(picture: Photo, photo: Photo) -> bool:
    """Whether a mask has the shape of the photo before its EXIF orientation turned that."""
    if photo.orientation < 5 or photo.height == photo.width:
        return False
    if (picture.width, picture.height) == (photo.height, photo.width):
        return True
    across, upright = picture.width * photo.width, picture.height * photo.height
    along, lying = picture.width * photo.height, picture.height * photo.width
    is_scaled_copy = abs(across - upright) * 50 <= upright
    return is_scaled_copy and abs(along - lying) * 50 > lying


def _of_another_size(mask: Mask, size: tuple[int, int]) -> str:
    sizes = (
        f"the mask has {mask.shape[1]}×{mask.shape[0]} pixels, the photo {size[1]}×{size[0]}; "
        "give a mask of the photo's size"
    )
    if mask.shape == size[::-1]:
        return f"{sizes}: this one lies on its side; turn it as the photo is"
    return f"{sizes}, or `resize_mask` to scale it"


def _plain(source: Source) -> Source:
    """Integers of 0 and 1 as 0 and 255, long integers as short ones, 32-bit images as arrays."""
    if isinstance(source, Image.Image) and source.mode in ("I", "F"):
        source = np.asarray(source)
    if isinstance(source, np.ndarray) and source.dtype == bool and source.ndim == 3:
        source = source.astype(np.uint8)
    if not isinstance(source, np.ndarray) or source.dtype.kind not in "iu" or not source.size:
        return source
    values: npt.NDArray[np.integer[Any]] = source
    lowest, highest = values.min(), values.max()
    if lowest < 0 or highest > 65535:
        raise MaskError(f"the mask has values of {lowest} to {highest}; give 0 and 1, or 0 to 255")
    if highest <= 1:
        return values.astype(np.uint8) * np.uint8(255)
    if values.dtype in (np.uint8, np.uint16):
        return values
    return values.astype(np.uint8) if highest <= 255 else values.astype(np.uint16)


def _resized(mask: Mask, size: tuple[int, int]) -> Mask:
    """Nearest neighbour: the pixel under the centre of each new pixel."""
    rows, columns = (
        ((2 * np.arange(new) + 1) * old) // (2 * new)
        for new, old in zip(size, mask.shape, strict=True)
    )
    return np.asarray(mask[np.ix_(rows, columns)])


def mask_from_alpha(photo: Photo) -> Mask:
    """Take the photo's transparent pixels as missing.

    Transparent means an alpha below 50 %. What is half transparent and above is known: it keeps its
    colour and its alpha. Filled pixels become opaque.

    Raises:
        MaskError: if the photo has no alpha.
    """
    if photo.alpha is None:
        raise MaskError("the photo has no transparent pixels; give a mask or a box")
    return np.asarray(photo.alpha < (np.iinfo(photo.alpha.dtype).max + 1) // 2)


def parse_box(text: str) -> tuple[int, int, int, int]:
    """Read "x,y,w,h", in pixels from the left and the top.

    Raises:
        MaskError: if it is anything else, or has no area.
    """
    try:
        x, y, width, height = (int(part) for part in text.split(","))
    except ValueError as error:
        raise MaskError(
            f"the box {text!r} is not x,y,width,height in whole pixels; write it like 40,30,100,80"
        ) from error
    if width < 1 or height < 1:
        raise MaskError(f"the box {text!r} has no area; width and height must be 1 or more")
    return x, y, width, height


def check_box(box: object) -> tuple[int, int, int, int]:
    """A box as four whole numbers.

    Raises:
        MaskError: if it is anything else.
    """
    try:
        x, y, width, height = map(operator.index, box)  # type: ignore[call-overload]
    except (TypeError, ValueError) as error:
        raise MaskError(
            f"the box {box!r} is not four whole numbers: x, y, width, height"
        ) from error
    return x, y, width, height


def parse_boxes(text: str) -> list[tuple[int, int, int, int]]:
    """Read one or more "x,y,w,h", with a semicolon between them.

    Raises:
        MaskError: if one is anything else, or has no area.
    """
    return [parse_box(part) for part in text.strip(" ;").split(";")]


def mask_from_box(x: int, y: int, width: int, height: int, size: tuple[int, int]) -> Mask:
    """Take a rectangle as missing; what reaches beyond the photo is cut off.

    Args:
        x: its first column, from the left; a negative one counts from the right edge.
        y: its first row, from the top; a negative one counts from the lower edge.
        width: its columns.
        height: its rows.
        size: (height, width) of the photo.

    Raises:
        MaskError: if it lies wholly outside or has no area.
    """
    left = x + size[1] if x < 0 else x
    top = y + size[0] if y < 0 else y
    rows = slice(max(top, 0), max(top + height, 0))
    columns = slice(max(left, 0), max(left + width, 0))
    mask = np.zeros(size, dtype=bool)
    mask[rows, columns] = True
    if not mask.any():
        raise MaskError(
            f"the box {x},{y},{width},{height} has no pixel in the photo of {size[1]}×{size[0]}; "
            "x and y count from the left and the top, negative ones from the right and the bottom"
        )
    return mask


def invert(mask: Mask) -> Mask:
    """Swap known and missing."""
    return np.logical_not(mask)


def grow(mask: Mask, pixels: float) -> Mask:
    """Widen the hole by all pixels whose centre is within `pixels` of a hole pixel's centre.

    Works tile by tile, so that a small hole in a large photo costs little time and memory.

    Raises:
        MaskError: if `pixels` is negative.
    """
    check_pixels("grow", pixels)
    reach = int(min(pixels, sum(mask.shape)))
    if reach == 0 or not mask.any():
        return np.array(mask)
    from scipy.ndimage import distance_transform_edt

    grown: Mask = np.array(mask)
    for top in range(0, mask.shape[0], _TILE):
        for left in range(0, mask.shape[1], _TILE):
            above, before = max(top - reach, 0), max(left - reach, 0)
            around = mask[above : top + _TILE + reach, before : left + _TILE + reach]
            tile = np.s_[top : top + _TILE, left : left + _TILE]
            if not around.any() or mask[tile].all():
                continue
            near = distance_transform_edt(~around) <= pixels
            grown[tile] = near[top - above :, left - before :][:_TILE, :_TILE]
    return grown


def shrink(mask: Mask, pixels: float) -> Mask:
    """Narrow the hole by all pixels whose centre is within `pixels` of a known pixel's centre.

    The photo's border is no known pixel: a hole stays along it.

    Raises:
        MaskError: if `pixels` is negative.
    """
    check_pixels("shrink", pixels)
    return invert(grow(invert(mask), pixels))


def check_pixels(name: str, pixels: float) -> None:
    """Raise a `MaskError` if a number of pixels is none, or below 0."""
    if not isinstance(pixels, (int, float, np.number)) or not pixels >= 0:
        raise MaskError(f"{name} is a number of pixels, 0 or more, not {pixels!r}")


def hole_ratio(mask: Mask) -> float:
    """The missing part of all pixels, 0 to 1."""
    return float(np.count_nonzero(mask) / mask.size)  # a mean would take ten times as long


def mask_warning(mask: Mask, seen: str = "") -> str | None:
    """What to tell of an empty mask and of one that leaves little to go by; None for others.

    `seen` is what is in the picture of an empty mask.
    """
    ratio = hole_ratio(mask)
    if ratio == 0:
        found = f" ({seen})" if seen else ""
        return f"the mask is empty{found}: the photo is returned as it is"
    if ratio > _HUGE:
        return f"the mask covers {ratio:.0%} of the photo: expect a fill that is mostly invented"
    return None


def check_mask(mask: Mask) -> None:
    """Warn of an empty mask and of one that leaves little to go by.

    Warns:
        RegionwiseWarning: if nothing is missing, or more than 60 %.
    """
    message = mask_warning(mask)
    if message:
        warnings.warn(message, RegionwiseWarning, stacklevel=2)
