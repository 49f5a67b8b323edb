"""Photos out: known pixels as they were, with all that their file said besides.

Filled pixels alone change: for the lossless formats bit for bit, for JPEG block for block (see
`regionwise.photos.jpeg_splice`).
"""

from __future__ import annotations

from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from regionwise.arrays import Mask
from regionwise.errors import OutputError
from regionwise.output import check_output, write_whole
from regionwise.photos.containers import jpeg
from regionwise.photos.containers.placed_fill import PlacedFill
from regionwise.photos.formats import BY_NAME, READABLE, Format, format_of_path
from regionwise.photos.metadata import metadata_from_info
from regionwise.photos.orientation import stored, stored_corner
from regionwise.photos.photo import Photo
from regionwise.photos.raster import Raster, UnsupportedPixelsError, to_eight_bits

if TYPE_CHECKING:
    from regionwise.photos.jpeg_splice import Splicer

_PALETTE_WITH_ALPHA = ("PNG", "GIF")


def splicer_for(photo: Photo, wanted: str | None, hole: Mask) -> Future[Splicer] | None:
    """Start what writing the photo in a format will need and what no fill changes.

    That is reading a JPEG's coefficients: done while a network fills, it costs no time.

    Args:
        photo: as it was read.
        wanted: the format to write.
        hole: H×W, upright, what will be filled.

    Returns:
        What `encode_photo` takes; None where there is nothing to start.
    """
    if photo.source is None or not photo.format == wanted == "JPEG" or not hole.any():
        return None
    rows, columns = np.flatnonzero(hole.any(axis=1)), np.flatnonzero(hole.any(axis=0))
    top, left = int(rows[0]), int(columns[0])
    part = hole[top : rows[-1] + 1, left : columns[-1] + 1]
    corner = stored_corner(top, left, part.shape, hole.shape, photo.orientation)
    return jpeg.splicer_ahead(photo.source, *corner, stored(part, photo.orientation))


def encode_photo(
    photo: Photo,
    format: str | None = None,  # noqa: A002
    ahead: Future[Splicer] | None = None,
    notes: list[str] | None = None,
) -> bytes:
    """Give the photo as the bytes of a file.

    Args:
        photo: one without a fill comes back as the bytes that it was read from.
        format: a name of `regionwise.photos.formats`; by default the photo's own, which keeps its
            orientation, compression and metadata. Another format holds the picture upright, with
            EXIF, colour profile, XMP and resolution where it has room for them.
        ahead: what `splicer_for` gave for this photo and its hole.
        notes: gets lines for the user, of what could not be kept as it was.

    Raises:
        OutputError: if the format is unknown, or can't hold the picture.
    """
    wanted = BY_NAME.get((format or photo.format or "").upper())
    if wanted is None:
        raise OutputError(
            f"{format or 'a picture from memory'} is not a format to write; give one of {READABLE}"
        )
    own = photo.source if wanted.name == photo.format else None
    if own is not None and not photo.filled:
        return own
    raster = _fitted(photo, photo.raster(1 if own is None else photo.orientation), wanted)
    if wanted.lacks:
        raise OutputError(f"this can't be written: {wanted.lacks}")
    container = wanted.container()
    try:
        if own is not None and wanted.name == "JPEG":
            return jpeg.encode_again(raster, own, placed_fills(photo), ahead, notes)
        if own is not None:
            return container.encode_again(raster, own, placed_fills(photo))
        metadata = metadata_from_info(photo.info).upright().for_mode(raster.mode)
        if wanted.name == "JXL" and metadata.icc_profile and notes is not None:
            notes.append("its colour profile is lost: JPEG XL is written without one")
        return container.encode(raster, metadata)
    except UnsupportedPixelsError as error:
        raise OutputError(f"the picture {error}; write another format") from error
    except MemoryError:
        raise
    except Exception as error:  # a file that could be decoded may be broken elsewhere
        raise OutputError(
            f"{wanted.title} can't hold this picture ({_said(error)}); write .png"
        ) from error


def _fitted(photo: Photo, raster: Raster, wanted: Format) -> Raster:
    """The raster in a mode and depth that a format has; alpha is never dropped silently."""
    modes = wanted.modes
    transparent = photo.alpha is not None and photo.alpha.min() < np.iinfo(photo.alpha.dtype).max
    mode = raster.mode
    if photo.alpha is not None and not (mode == "P" and wanted.name in _PALETTE_WITH_ALPHA):
        grey = mode == "LA"
        with_alpha = "LA" if grey and "LA" in modes else "RGBA"
        if with_alpha in modes:
            mode = with_alpha
        elif transparent:
            raise OutputError(
                f"{wanted.title} can't hold transparent pixels; write .png, .webp or .tif instead"
            )
        else:
            mode = "L" if grey else "RGB"
    elif mode not in modes:
        mode = "L" if mode == "1" and "L" in modes else "RGB"
    if mode != raster.mode:
        converted = replace(photo, mode=mode, native=None, palette=None)
        raster = converted.raster(raster.orientation)
    if raster.is_deep and not wanted.deep:
        raster = replace(raster, samples=to_eight_bits(raster.samples))
    return raster


def placed_fills(photo: Photo) -> list[PlacedFill]:
    """The fills as the file's orientation sees them."""
    fills = []
    for fill in photo.filled:
        size = photo.color.shape[:2]
        corner = stored_corner(fill.top, fill.left, fill.hole.shape, size, photo.orientation)
        color = stored(photo.color[fill.window], photo.orientation)
        fills.append(PlacedFill(*corner, color, stored(fill.hole, photo.orientation)))
    return fills


def write_photo(photo: Photo, path: Path, *, overwrite: bool = False) -> None:
    """Write the photo to a file of the format that its suffix names, whole or not at all.

    Raises:
        OutputError: if the file exists and `overwrite` is off, the suffix is unknown, or the folder
            or the disk takes no file.
    """
    path = Path(path)
    kind = format_of_path(path).name
    check_output(path, overwrite=overwrite)
    write_whole(encode_photo(photo, kind), path, overwrite=overwrite)


def _said(error: Exception) -> str:
    """What a library's error says, short and in one line."""
    return " ".join(str(error).split())[:120] or type(error).__name__
