"""Animations and files of several pages: each picture as a photo, and all of them back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import numpy as np

from regionwise.arrays import Mask
from regionwise.errors import OutputError, PhotoError
from regionwise.photos.containers import FramesContainer
from regionwise.photos.containers.placed_fill import TooManyPixelsError
from regionwise.photos.formats import BY_NAME
from regionwise.photos.photo import Photo, photo_from_raster
from regionwise.photos.raster import UnsupportedPixelsError
from regionwise.photos.reading import MAX_PIXELS, known_format, read_photo

_WITH_FRAMES = ("PNG", "TIFF", "GIF", "WEBP", "AVIF", "JXL")


def count_frames(data: bytes, name: str) -> int:
    """How many pictures a file holds that are shown one after another, or as pages.

    Raises:
        PhotoError: if it is no picture; a broken one counts as one.
    """
    kind = known_format(data, name)
    if kind.name not in _WITH_FRAMES:
        return 1
    try:
        return _container(kind.name).count_frames(data)
    except Exception:  # whatever is broken is told by who reads it
        return 1


def read_frames(data: bytes, name: str, *, max_pixels: int = MAX_PIXELS) -> list[Photo]:
    """All pictures of a file, in their order.

    Raises:
        PhotoError: if one can't be read, or they have more pixels together than allowed.
    """
    kind = known_format(data, name).name
    if kind not in _WITH_FRAMES:
        return [read_photo(data, name=name, max_pixels=max_pixels)]
    try:
        rasters = list(_container(kind).decode_frames(data, max_pixels))
    except (UnsupportedPixelsError, TooManyPixelsError) as error:
        raise PhotoError(f"{name} {error}") from error
    except MemoryError:
        raise
    except Exception as error:  # a decoder fed with broken bytes may raise anything
        reason = " ".join(str(error).split()) or type(error).__name__
        raise PhotoError(
            f"{name}, a {BY_NAME[kind].title} file, is broken or cut short ({reason[:120]}); "
            "get the file again"
        ) from error
    return [photo_from_raster(raster, kind, None) for raster in rasters]


def check_frames_are_written(kind: str, name: str) -> None:
    """Refuse early what `encode_frames` could not write.

    Raises:
        OutputError: if a format's animations are read alone.
    """
    if kind == "JXL":
        raise OutputError(
            f"{name} is an animation, which is not written as {BY_NAME[kind].title}; fill one of "
            "its pictures by `page` into a .png, or convert it to WebP, PNG or AVIF first"
        )


def encode_frames(frames: Sequence[Photo], original: bytes, kind: str) -> bytes:
    """Give the pictures of a file, filled, as the bytes of such a file.

    Args:
        frames: as `read_frames` gave them for `original`, filled.
        original: the file.
        kind: its format.

    Raises:
        OutputError: if the format has no room for what a fill made.
    """
    rasters = [frame.raster(frame.orientation) for frame in frames]
    try:
        return _container(kind).encode_frames(rasters, original, [_hole(one) for one in frames])
    except UnsupportedPixelsError as error:
        raise OutputError(f"the picture {error}; give `page`, and another format") from error
    except MemoryError:
        raise
    except Exception as error:  # a file that could be decoded may be broken elsewhere
        said = " ".join(str(error).split())[:120] or type(error).__name__
        raise OutputError(f"{BY_NAME[kind].title} can't hold this picture ({said})") from error


def _hole(frame: Photo) -> Mask:
    hole = np.zeros((frame.height, frame.width), bool)
    for filled in frame.filled:
        hole[filled.window] |= filled.hole
    return hole


def _container(kind: str) -> FramesContainer:
    return cast(FramesContainer, BY_NAME[kind].container())
