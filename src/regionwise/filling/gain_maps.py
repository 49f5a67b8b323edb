"""The gain map of an HDR photo, filled in the same hole as the photo."""

from __future__ import annotations

import numpy as np

from regionwise.arrays import Mask
from regionwise.engines.classical_engine import MembraneEngine
from regionwise.errors import OutputError, PhotoError
from regionwise.filling.fill_photo import fill_photo
from regionwise.filling.options import FillOptions
from regionwise.photos.companions import beside, join_jpeg, split_jpeg, told
from regionwise.photos.masks import grow
from regionwise.photos.orientation import stored
from regionwise.photos.photo import Photo
from regionwise.photos.reading import read_photo
from regionwise.photos.writing import encode_photo
from regionwise.photos.xmp_promises import GAIN_MAP, VIDEO


def with_companions(
    data: bytes, photo: Photo, hole: Mask, wanted: str | None, options: FillOptions
) -> tuple[bytes, str | None]:
    """A filled photo's bytes with what lay beside it and still holds, and a line for the user.

    Args:
        data: of the filled photo.
        photo: as it was read.
        hole: what was filled, upright.
        wanted: the format of `data`.
        options: `keep_video`.
    """
    lost = beside(photo)
    if photo.source is None or not photo.format == wanted == "JPEG" or not lost:
        return data, told(lost)
    parts = split_jpeg(photo.source)
    gain_map = None
    if parts.gain_map is not None:
        gain_map = _filled(parts.gain_map, stored(hole, photo.orientation))
    data = join_jpeg(data, parts, gain_map, keep_video=options.keep_video)
    kept = [GAIN_MAP] if gain_map is not None else []
    kept += [VIDEO] if options.keep_video else []
    line = told([part for part in lost if part not in kept])
    if gain_map is not None:
        line = "; ".join(["its HDR gain map is filled too", *([line] if line else [])])
    if options.keep_video and parts.video:
        line = "; ".join([*([line] if line else []), "its video is kept and not filled"])
    return data, line


def _filled(gain_map: bytes, hole: Mask) -> bytes | None:
    """The gain map, filled smoothly: it holds brightness and no detail that must be invented."""
    try:
        picture = read_photo(gain_map)
        smaller = grow(_scaled(hole, (picture.height, picture.width)), 1)
        filled = fill_photo(picture, smaller, MembraneEngine(), FillOptions(large="window"))
        return encode_photo(filled)
    except (PhotoError, OutputError):
        return None


def _scaled(hole: Mask, size: tuple[int, int]) -> Mask:
    """A hole at another size: a pixel is missing if any of what it covers is."""
    rows, columns = np.nonzero(hole)
    scaled = np.zeros(size, bool)
    scaled[
        (rows * size[0] // hole.shape[0]).clip(max=size[0] - 1),
        (columns * size[1] // hole.shape[1]).clip(max=size[1] - 1),
    ] = True
    return scaled
