"""A filled photo given back as what it was read from: an array, an image, bytes, a path."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from regionwise.photos.metadata import metadata_from_info
from regionwise.photos.photo import Photo
from regionwise.photos.raster import pil_from_raster
from regionwise.photos.reading import Source
from regionwise.photos.writing import encode_photo, placed_fills


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
    for fill in placed_fills(photo):
        height, width = fill.hole.shape
        window = np.s_[fill.top : fill.top + height, fill.left : fill.left + width]
        patch = pil_from_raster(replace(raster, samples=raster.samples[window]))
        mask = Image.fromarray(np.ascontiguousarray(fill.hole))
        image.paste(_in_mode(patch, image.mode), (fill.left, fill.top), mask)
    return image


def _in_mode(patch: Image.Image, mode: str) -> Image.Image:
    """A patch in an image's mode, where a colour key had made alpha of it or RGBX lost its X."""
    return patch if patch.mode == mode else patch.convert(mode)
