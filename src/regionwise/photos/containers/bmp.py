"""BMP, by Pillow; it keeps its resolution and has no room for anything else."""

from __future__ import annotations

import io
from collections.abc import Sequence

from PIL import BmpImagePlugin

from regionwise.photos.containers.placed_fill import PlacedFill, check_size
from regionwise.photos.metadata import Metadata
from regionwise.photos.raster import Raster, pil_from_raster, raster_from_pil

_RESOLUTION = slice(38, 46)  # pixels a metre across and down, in headers of 40 bytes or more


def decode(data: bytes, max_pixels: int) -> Raster:
    """Read a BMP file."""
    image = BmpImagePlugin.BmpImageFile(io.BytesIO(data))
    check_size(*image.size, max_pixels)
    return raster_from_pil(image)


def encode(raster: Raster, metadata: Metadata) -> bytes:
    """Write a BMP. Modes 1, L, P, RGB, RGBA; 8 bits."""
    buffer = io.BytesIO()
    options = {"dpi": metadata.dpi} if metadata.dpi else {}
    pil_from_raster(raster).save(buffer, "BMP", **options)
    return buffer.getvalue()


def encode_again(raster: Raster, original: bytes, fills: Sequence[PlacedFill]) -> bytes:
    """Write new pixels with the original's resolution."""
    encoded = bytearray(encode(raster, Metadata()))
    if int.from_bytes(original[14:18], "little") >= 40:
        encoded[_RESOLUTION] = original[_RESOLUTION]
    return bytes(encoded)
