"""Photos in and out, with nothing lost.

A photo is handled upright, in RGB; what its file said besides is kept, and written back. Filled
pixels alone change: for the lossless formats bit for bit, for JPEG as near as it goes (see
`regionwise.photos.containers.jpeg`).
"""

from __future__ import annotations

import os
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO, TypeAlias

import numpy as np
import numpy.typing as npt
from PIL import Image

from regionwise.arrays import Pixels
from regionwise.errors import OutputError, PhotoError
from regionwise.output import check_output, write_whole
from regionwise.photos.containers import Container, bmp, jpeg, png, tiff, webp
from regionwise.photos.containers.placed_fill import PlacedFill, TooManyPixelsError, check_size
from regionwise.photos.metadata import metadata_from_info
from regionwise.photos.orientation import stored, stored_corner
from regionwise.photos.photo import Photo, photo_from_raster
from regionwise.photos.raster import (
    RAW,
    Raster,
    UnsupportedPixelsError,
    pil_from_raster,
    raster_from_array,
    raster_from_pil,
    to_eight_bits,
)

__all__ = [
    "MAX_PIXELS",
    "Photo",
    "Source",
    "encode_photo",
    "format_of_path",
    "photo_like",
    "read_photo",
    "write_photo",
]

MAX_PIXELS = 200_000_000

Source: TypeAlias = "str | os.PathLike[str] | bytes | BinaryIO | Image.Image | npt.NDArray[Any]"
_CONTAINERS: dict[str, Container] = {
    "JPEG": jpeg, "PNG": png, "WEBP": webp, "TIFF": tiff, "BMP": bmp,
}  # fmt: skip
_READABLE = "JPEG, PNG, WebP, TIFF and BMP"
_SUFFIXES = {
    ".jpg": "JPEG", ".jpeg": "JPEG", ".jpe": "JPEG", ".jfif": "JPEG", ".png": "PNG",
    ".webp": "WEBP", ".tif": "TIFF", ".tiff": "TIFF", ".bmp": "BMP", ".dib": "BMP",
}  # fmt: skip
_MODES = {
    "JPEG": ("L", "RGB", "CMYK"),
    "PNG": ("1", "L", "LA", "P", "RGB", "RGBA"),
    "WEBP": ("RGB", "RGBA"),
    "TIFF": ("1", "L", "LA", "P", "RGB", "RGBA", "CMYK"),
    "BMP": ("1", "L", "P", "RGB", "RGBA"),
}


def read_photo(source: Source, *, max_pixels: int = MAX_PIXELS) -> Photo:
    """Read a photo from a file, its bytes, an open file, a Pillow image or an array.

    Args:
        source: an array is height×width, or ×1, 2 (grey and alpha), 3 (RGB) or 4 channels; bool,
            uint8, uint16, or float in [0, 1]. A Pillow image is turned upright by its EXIF
            orientation, as a file is.
        max_pixels: more are refused before anything is decoded.

    Raises:
        PhotoError: if it can't be read, or is of a kind that regionwise can't keep.
    """
    data: bytes | None = None
    kind: str | None = None
    name = _name(source)
    try:
        if isinstance(source, np.ndarray):
            raster = raster_from_array(_without_floats(_native(source)))
            check_size(raster.samples.shape[1], raster.samples.shape[0], max_pixels)
        elif isinstance(source, Image.Image):
            check_size(*source.size, max_pixels)
            kind = source.format if source.format in _CONTAINERS else None
            raster = raster_from_pil(source)
        else:
            data = _bytes_of(source, name)
            kind = _format_of_bytes(data, name)
            raster = _CONTAINERS[kind].decode(data, max_pixels)
    except PhotoError:
        raise
    except (UnsupportedPixelsError, TooManyPixelsError) as error:
        raise PhotoError(f"{name} {error}") from error
    except Exception as error:  # a decoder fed with broken bytes may raise anything
        reason = " ".join(str(error).split()) or type(error).__name__
        raise PhotoError(
            f"{name} is broken or cut short ({reason[:120]}); get the file anew"
        ) from error
    return photo_from_raster(raster, kind, data)


def _name(source: Source) -> str:
    """What to call a source in a message."""
    if isinstance(source, (str, os.PathLike)):
        return os.fspath(source)
    if isinstance(source, np.ndarray):
        return "the array"
    named = getattr(source, "filename", None) or getattr(source, "name", None)
    return named if isinstance(named, str) and named else "the photo"


def _bytes_of(source: str | os.PathLike[str] | bytes | BinaryIO, name: str) -> bytes:
    if isinstance(source, (bytes, bytearray, memoryview)):
        return bytes(source)
    if not isinstance(source, (str, os.PathLike)):
        return _read_open(source, name)
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
            f"an object of type {type(source).__name__} is no picture; "
            "give a path, the bytes of a file, an open file, a Pillow image or an array"
        )
    try:
        data = source.read()
    except (OSError, ValueError) as error:
        raise PhotoError(f"{name} can't be read ({error}); check the file") from error
    if not isinstance(data, bytes):
        raise PhotoError(f"{name} is open as text; open it as open(name, 'rb')")
    return data


def _format_of_bytes(data: bytes, name: str) -> str:
    """The format by a file's first bytes, whatever its name says.

    Raises:
        PhotoError: if it is none of ours, naming what it is where that is known.
    """
    if not data:
        raise PhotoError(f"{name} is empty (0 bytes); get the file anew")
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "WEBP"
    if data[8:10] == b"CR" and data.startswith(b"II*\0"):
        raise PhotoError(f"{name} {RAW}")
    for start, kind in (
        (b"\xff\xd8\xff", "JPEG"), (b"\x89PNG\r\n\x1a\n", "PNG"), (b"BM", "BMP"),
        (b"II*\0", "TIFF"), (b"MM\0*", "TIFF"), (b"II+\0", "TIFF"), (b"MM\0+", "TIFF"),
    ):  # fmt: skip
        if data.startswith(start):
            return kind
    other = "not a picture that regionwise knows"
    if data[4:8] == b"ftyp":
        brand = data[8:12]
        other = "an AVIF picture" if brand.startswith(b"avi") else "a HEIC picture or a video"
        other = "a camera's raw file" if brand == b"crx " else other
    elif data.startswith((b"GIF87a", b"GIF89a")):
        other = "a GIF picture"
    raise PhotoError(f"{name} is {other}; {_READABLE} are read: convert it to one of them")


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


def planes_ahead(photo: Photo, path: Path) -> Future[Image.Image] | None:
    """Start what writing the photo to a path will need and what no fill changes.

    That is a JPEG's second decoding: done while a network fills, it takes half the time.

    Returns:
        What `write_photo` takes, once; None where there is nothing to start.
    """
    if photo.source is None or not photo.format == format_of_path(path) == "JPEG":
        return None
    return jpeg.planes_ahead(photo.source)


def encode_photo(
    photo: Photo,
    format: str | None = None,  # noqa: A002
    ahead: Future[Image.Image] | None = None,
) -> bytes:
    """Give the photo as the bytes of a file.

    Args:
        photo: one without a fill comes back as the bytes that it was read from.
        format: JPEG, PNG, WEBP, TIFF or BMP; by default the photo's own, which keeps its
            orientation, compression and metadata. Another format holds the picture upright, with
            EXIF, colour profile, XMP and resolution where it has room for them.
        ahead: what `planes_ahead` gave for this photo.

    Raises:
        OutputError: if the format is unknown, or can't hold the picture.
    """
    wanted = (format or photo.format or "").upper()
    if wanted not in _CONTAINERS:
        raise OutputError(
            f"{format or 'a picture from memory'} is no format to write; give one of {_READABLE}"
        )
    container = _CONTAINERS[wanted]
    own = photo.source if wanted == photo.format else None
    if own is not None and not photo.filled:
        return own
    raster = _fitted(photo, photo.raster(1 if own is None else photo.orientation), wanted)
    try:
        if own is not None and ahead is not None:
            return jpeg.encode_again(raster, own, _placed_fills(photo), ahead)
        if own is not None:
            return container.encode_again(raster, own, _placed_fills(photo))
        metadata = metadata_from_info(photo.info).upright().for_mode(raster.mode)
        return container.encode(raster, metadata)
    except UnsupportedPixelsError as error:
        raise OutputError(f"the picture {error}; write another format") from error
    except (OSError, ValueError, RuntimeError) as error:
        raise OutputError(f"{wanted} can't hold this picture ({error}); write .png") from error


def _fitted(photo: Photo, raster: Raster, wanted: str) -> Raster:
    """The raster in a mode and depth that a format has; alpha is never dropped silently."""
    modes = _MODES[wanted]
    transparent = photo.alpha is not None and photo.alpha.min() < np.iinfo(photo.alpha.dtype).max
    mode = raster.mode
    if photo.alpha is not None and not (mode == "P" and wanted == "PNG"):
        grey = mode == "LA"
        with_alpha = "LA" if grey and "LA" in modes else "RGBA"
        if with_alpha in modes:
            mode = with_alpha
        elif transparent:
            raise OutputError(
                f"{wanted} can't hold transparent pixels; write .png, .webp or .tif instead"
            )
        else:
            mode = "L" if grey else "RGB"
    elif mode not in modes:
        mode = "L" if mode == "1" and "L" in modes else "RGB"
    if mode != raster.mode:
        converted = replace(photo, mode=mode, native=None, palette=None)
        raster = converted.raster(raster.orientation)
    if raster.is_deep and wanted not in ("PNG", "TIFF"):
        raster = replace(raster, samples=to_eight_bits(raster.samples))
    return raster


def _placed_fills(photo: Photo) -> list[PlacedFill]:
    """The fills as the file's orientation sees them."""
    fills = []
    for fill in photo.filled:
        size = photo.color.shape[:2]
        corner = stored_corner(fill.top, fill.left, fill.hole.shape, size, photo.orientation)
        color = stored(photo.color[fill.window], photo.orientation)
        fills.append(PlacedFill(*corner, color, stored(fill.hole, photo.orientation)))
    return fills


def format_of_path(path: Path) -> str:
    """The format that a file's name asks for.

    Raises:
        OutputError: if the suffix is none of ours.
    """
    kind = _SUFFIXES.get(path.suffix.lower())
    if kind is None:
        raise OutputError(f"{path} has no suffix that is written; give one of {_suffixes()}")
    return kind


def _suffixes() -> str:
    return ", ".join(sorted(_SUFFIXES))


def write_photo(
    photo: Photo,
    path: Path,
    *,
    overwrite: bool = False,
    ahead: Future[Image.Image] | None = None,
) -> None:
    """Write the photo to a file of the format that its suffix names, whole or not at all.

    `ahead` is what `planes_ahead` gave for this photo and path.

    Raises:
        OutputError: if the file exists and `overwrite` is off, the suffix is unknown, or the folder
            or the disk takes no file.
    """
    path = Path(path)
    kind = format_of_path(path)
    check_output(path, overwrite=overwrite)
    write_whole(encode_photo(photo, kind, ahead), path, overwrite=overwrite)


def photo_like(photo: Photo, source: Source) -> Any:
    """Give the photo back as what it was read from.

    Args:
        photo: what `read_photo(source)` gave, filled.
        source: what it was read from.

    Returns:
        For an array an array of the same shape and type, for a Pillow image one of the same size,
        mode and info (truecolour, if the fill left its palette), for bytes and open files the bytes
        of a file of the same format, for a path an upright Pillow image.
    """
    if isinstance(source, np.ndarray):
        return _array_like(photo, source)
    if isinstance(source, Image.Image):
        return _image_like(photo, source)
    if not isinstance(source, (str, os.PathLike)):
        return encode_photo(photo)
    image = pil_from_raster(photo.raster())
    said = metadata_from_info(photo.info).upright()
    changed = {"exif": said.exif and b"Exif\0\0" + said.exif, "xmp": said.xmp}
    info = {key: value for key, value in photo.info.items() if key != "transparency"}
    image.info.update(info | {key: value for key, value in changed.items() if key in info})
    return image


def _array_like(photo: Photo, source: npt.NDArray[Any]) -> npt.NDArray[Any]:
    filled: npt.NDArray[Any] = source.copy()
    samples = photo.raster().samples.reshape(source.shape)
    for fill in photo.filled:
        new = samples[fill.window][fill.hole]
        if source.dtype.kind == "f":
            new = new / source.dtype.type(65535)
        filled[fill.window][fill.hole] = new
    return filled


def _image_like(photo: Photo, source: Image.Image) -> Image.Image:
    if source.mode in ("P", "PA") and photo.mode != "P" and photo.filled:
        image = pil_from_raster(photo.raster(photo.orientation))
        image.info = {key: value for key, value in source.info.items() if key != "transparency"}
        return image
    image = source.copy()
    raster = photo.raster(photo.orientation)
    for fill in _placed_fills(photo):
        height, width = fill.hole.shape
        window = np.s_[fill.top : fill.top + height, fill.left : fill.left + width]
        patch = pil_from_raster(replace(raster, samples=raster.samples[window]))
        mask = Image.fromarray(np.ascontiguousarray(fill.hole))
        image.paste(_in_mode(patch, image.mode), (fill.left, fill.top), mask)
    return image


def _in_mode(patch: Image.Image, mode: str) -> Image.Image:
    """A patch in an image's mode, where a colour key had made alpha of it or RGBX lost its X."""
    return patch if patch.mode == mode else patch.convert(mode)
