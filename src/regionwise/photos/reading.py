"""Photos in: upright, in RGB, with what their file says besides."""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import Any, BinaryIO, TypeAlias

import numpy as np
import numpy.typing as npt
from PIL import Image

from regionwise.arrays import Pixels
from regionwise.errors import PhotoError
from regionwise.photos.containers.placed_fill import TooManyPixelsError, check_size
from regionwise.photos.formats import BY_NAME, READABLE, Format, format_of_bytes, what_it_is
from regionwise.photos.photo import Photo, photo_from_raster
from regionwise.photos.raster import (
    UnsupportedPixelsError,
    pil_from_raster,
    raster_from_array,
    raster_from_pil,
)
from regionwise.photos.stored_files import is_address, read_address

MAX_PIXELS = 200_000_000

Source: TypeAlias = "str | os.PathLike[str] | bytes | BinaryIO | Image.Image | npt.NDArray[Any]"


def read_photo(source: Source, *, name: str | None = None, max_pixels: int = MAX_PIXELS) -> Photo:
    """Read a photo from a file, its bytes, an open file, a Pillow image or an array.

    Args:
        source: an array is height×width, or ×1, 2 (grey and alpha), 3 (RGB) or 4 channels; bool,
            uint8, uint16, or float in [0, 1]. A Pillow image is turned upright by its EXIF
            orientation, as a file is.
        name: what to call it in messages, where the source doesn't say.
        max_pixels: more are refused before anything is decoded.

    Raises:
        PhotoError: if it can't be read, or is of a kind that regionwise can't keep.
    """
    data: bytes | None = None
    kind: str | None = None
    name = name or name_of(source)
    try:
        if isinstance(source, np.ndarray):
            raster = raster_from_array(_without_floats(_native(source)))
            check_size(raster.samples.shape[1], raster.samples.shape[0], max_pixels)
        elif isinstance(source, Image.Image):
            check_size(*source.size, max_pixels)
            kind = source.format if source.format in BY_NAME else None
            raster = raster_from_pil(source)
        else:
            data = bytes_of(source, name)
            format_ = known_format(data, name)
            kind = format_.name
            raster = format_.container().decode(data, max_pixels)
    except (PhotoError, MemoryError):
        raise
    except (UnsupportedPixelsError, TooManyPixelsError) as error:
        raise PhotoError(f"{name} {error}") from error
    except Exception as error:  # a decoder fed with broken bytes may raise anything
        reason = " ".join(str(error).split()) or type(error).__name__
        file = f"{name}, a {BY_NAME[kind].title} file," if kind else name
        raise PhotoError(
            f"{file} is broken or cut short ({reason[:120]}); get the file again"
        ) from error
    return photo_from_raster(raster, kind, data)


def name_of(source: Source) -> str:
    """What to call a source in a message."""
    if isinstance(source, (str, os.PathLike)):
        return os.fspath(source)
    if isinstance(source, np.ndarray):
        return "the array"
    named = getattr(source, "filename", None) or getattr(source, "name", None)
    return named if isinstance(named, str) and named else "the photo"


def bytes_of(source: str | os.PathLike[str] | bytes | BinaryIO, name: str) -> bytes:
    """All bytes of a file, of an address that fsspec knows, or of an open file.

    Raises:
        PhotoError: if it can't be read.
    """
    if isinstance(source, (bytes, bytearray, memoryview)):
        return bytes(source)
    if not isinstance(source, (str, os.PathLike)):
        return _read_open(source, name)
    if is_address(source):
        return read_address(os.fspath(source))
    try:
        path = Path(source)
        if path.is_dir():
            raise PhotoError(f"{name} is a folder; give a photo in it")
        return path.read_bytes()
    except FileNotFoundError as error:
        raise PhotoError(f"{name} does not exist; check the name") from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise PhotoError(f"{name} can't be read ({reason}); check the file") from error


def _read_open(source: BinaryIO, name: str) -> bytes:
    """All of an open file; whatever else someone gave is named."""
    if not hasattr(source, "read"):
        raise PhotoError(
            f"an object of type {type(source).__name__} is not a picture; "
            "give a path, the bytes of a file, an open file, a Pillow image or an array"
        )
    try:
        data = source.read()
    except (OSError, ValueError) as error:
        raise PhotoError(f"{name} can't be read ({error}); check the file") from error
    if not isinstance(data, bytes):
        raise PhotoError(f"{name} is open as text; open it as open(name, 'rb')")
    return data


def known_format(data: bytes, name: str) -> Format:
    """The format by a file's first bytes, whatever its name says.

    Raises:
        PhotoError: if it is not one of regionwise's, naming what it is where that is known.
    """
    if not data:
        raise PhotoError(f"{name} is empty (0 bytes); get the file again")
    found = format_of_bytes(data)
    if found is None:
        what = what_it_is(data)
        mend = "" if "; " in what else f"; {READABLE} are read: convert it to one of them"
        raise PhotoError(f"{name} is {what}{mend}")
    if found.lacks:
        raise PhotoError(f"{name} can't be read: {found.lacks}")
    return found


def _native(samples: Pixels) -> Pixels:
    """Samples in this machine's byte order."""
    return samples.astype(samples.dtype.newbyteorder("="), copy=False)


def _without_floats(samples: Pixels) -> Pixels:
    """Float samples as 16 bits; others as they are."""
    if samples.dtype.kind != "f" or not samples.size:
        return samples
    if not (np.isfinite(samples).all() and samples.min() >= 0 and samples.max() <= 1):
        raise UnsupportedPixelsError(
            "has floats outside 0 to 1; scale them, or give uint8 or uint16"
        )
    return (samples * 65535 + 0.5).astype(np.uint16)


def pillow_image(data: bytes) -> Image.Image:
    """A file as Pillow opens it, not yet decoded; what Pillow doesn't know is decoded here.

    Raises:
        PhotoError: if it is of a format that Pillow doesn't know, and can't be read.
        OSError: of Pillow, if the file is broken.
    """
    kind = format_of_bytes(data)
    if kind is not None and kind.name in ("HEIF", "JXL"):
        return pil_from_raster(read_photo(data).raster())
    return Image.open(io.BytesIO(data))
