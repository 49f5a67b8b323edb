"""HEIC, by pillow-heif (extra `heic`): written without loss, so that known pixels stay.

libheif turns the picture upright as it decodes, so it is written upright, and EXIF then says so.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

import numpy as np

from regionwise.photos.containers.placed_fill import PlacedFill, check_size
from regionwise.photos.metadata import Metadata, metadata_from_info
from regionwise.photos.raster import Raster, UnsupportedPixelsError, raster_from_array

_NEW_QUALITY = 95  # of a HEIC that is made from another format


def decode(data: bytes, max_pixels: int) -> Raster:
    """Read the main picture of a HEIC file, upright; 10 and 12 bits as 16."""
    import pillow_heif

    file = pillow_heif.open_heif(io.BytesIO(data), convert_hdr_to_8bit=False)
    width, height = file.size
    check_size(width, height, max_pixels)
    samples = np.asarray(file)
    raster = raster_from_array(np.ascontiguousarray(samples))
    info = {key: value for key, value in file.info.items() if isinstance(value, (bytes, tuple))}
    return Raster(raster.mode, raster.samples, info=info)


def encode(raster: Raster, metadata: Metadata) -> bytes:
    """Write a HEIC of quality 95. Modes RGB and RGBA, 8 bits."""
    return _encode(raster, metadata, bits=8, quality=_NEW_QUALITY)


def encode_again(raster: Raster, original: bytes, fills: Sequence[PlacedFill]) -> bytes:
    """Write new pixels with the original's profile, EXIF, XMP and depth, without any loss."""
    import pillow_heif

    file = pillow_heif.open_heif(io.BytesIO(original), convert_hdr_to_8bit=False)
    bits = int(file.info.get("bit_depth") or 8)
    return _encode(raster, metadata_from_info(file.info).upright(), bits=bits, quality=-1)


def _encode(raster: Raster, metadata: Metadata, *, bits: int, quality: int) -> bytes:
    import pillow_heif

    if raster.mode not in ("L", "RGB", "RGBA"):
        raise UnsupportedPixelsError(f"has pixels of mode {raster.mode}, which HEIC can't hold")
    samples = np.ascontiguousarray(raster.samples)
    mode = f"{raster.mode};16" if raster.is_deep else raster.mode
    height, width = samples.shape[:2]
    options: dict[str, Any] = {"chroma": 444}
    if quality < 0:
        options["matrix_coefficients"] = 0
    file = pillow_heif.from_bytes(mode, (width, height), samples.tobytes())
    buffer = io.BytesIO()
    image: Any = file[0]  # its types know no profile
    image.info["exif"] = metadata.exif or None
    image.info["xmp"] = metadata.xmp or None
    if metadata.icc_profile:
        image.info["icc_profile"] = metadata.icc_profile
        image.info["icc_profile_type"] = "prof"
    file.save(buffer, quality=quality, **options)
    return buffer.getvalue()
