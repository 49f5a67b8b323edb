"""WebP: lossless stays lossless, lossy is written at quality 95.

Source: RFC 9649 (WebP image format), section 2.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence

import numpy as np
from PIL import Image, WebPImagePlugin

from regionwise.arrays import Mask
from regionwise.photos.containers.placed_fill import PlacedFill, check_size
from regionwise.photos.metadata import Metadata, without_exif_thumbnail, without_xmp_thumbnails
from regionwise.photos.raster import (
    Raster,
    UnsupportedPixelsError,
    pil_from_raster,
    raster_from_pil,
)

_QUALITY = 95  # the file does not say its own in a way that could be kept
_LOSSLESS_EFFORT = {"method": 1, "quality": 20}  # a third of the time for files 3 % larger
_LARGEST = 16383  # pixels a side


def decode(data: bytes, max_pixels: int) -> Raster:
    """Read a WebP file, in the orientation of the file."""
    chunks = dict(_chunks(data))
    # Before Pillow sees it, which makes room for it at once and has a limit of its own.
    pillows_limit = 2 * (Image.MAX_IMAGE_PIXELS or max_pixels)
    check_size(*_canvas(chunks), min(max_pixels, pillows_limit))
    if "ANIM" in chunks or "ANMF" in chunks:
        raise UnsupportedPixelsError(
            "is animated; give `page`, or save the one frame that you mean"
        )
    return raster_from_pil(WebPImagePlugin.WebPImageFile(io.BytesIO(data)))


def encode(raster: Raster, metadata: Metadata) -> bytes:
    """Write a lossy WebP of quality 95. Modes RGB and RGBA, 8 bits, up to 16383 pixels a side."""
    return _encode(raster, metadata, lossless=False)


def encode_again(raster: Raster, original: bytes, fills: Sequence[PlacedFill]) -> bytes:
    """Write new pixels with the original's profile, EXIF and XMP, without any loss.

    A lossy original becomes lossless too, and several times as large: encoded with loss a second
    time, all of its known pixels would change.
    """
    return _encode(raster, _metadata(original), lossless=True)


def _metadata(original: bytes) -> Metadata:
    chunks = dict(_chunks(original))
    return Metadata(
        exif=without_exif_thumbnail(chunks.get("EXIF", b"").removeprefix(b"Exif\0\0")),
        icc_profile=chunks.get("ICCP", b""),
        xmp=without_xmp_thumbnails(chunks.get("XMP ", b"")),
    )


def count_frames(data: bytes) -> int:
    """How many pictures the file holds."""
    return max(sum(name == "ANMF" for name, _ in _chunks(data)), 1)


def decode_frames(data: bytes, max_pixels: int) -> Iterator[Raster]:
    """The pictures of an animation as they are shown, RGB or RGBA."""
    width, height = _canvas(dict(_chunks(data)))
    check_size(width, height * count_frames(data), max_pixels)
    image = WebPImagePlugin.WebPImageFile(io.BytesIO(data))
    for number in range(image.n_frames):
        image.seek(number)
        image.load()
        yield Raster(image.mode, np.array(image))


def encode_frames(rasters: Sequence[Raster], original: bytes, holes: Sequence[Mask]) -> bytes:
    """Write an animation with the original's delays and metadata, without any loss."""
    image = WebPImagePlugin.WebPImageFile(io.BytesIO(original))
    delays = []
    for number in range(image.n_frames):
        image.seek(number)
        image.load()
        delays.append(int(image.info.get("duration", 0)))
    metadata = _metadata(original)
    pictures = [pil_from_raster(raster) for raster in rasters]
    buffer = io.BytesIO()
    pictures[0].save(
        buffer,
        "WEBP",
        save_all=True,
        append_images=pictures[1:],
        duration=delays,
        loop=image.info.get("loop", 0),
        background=image.info.get("background", (0, 0, 0, 0)),
        lossless=True,
        exact=True,
        **_LOSSLESS_EFFORT,
        exif=metadata.exif,
        icc_profile=metadata.icc_profile,
        xmp=metadata.xmp,
    )
    return buffer.getvalue()


def _encode(raster: Raster, metadata: Metadata, *, lossless: bool) -> bytes:
    if max(raster.samples.shape[:2]) > _LARGEST:
        raise UnsupportedPixelsError(f"is more than WebP's {_LARGEST} pixels wide or high")
    buffer = io.BytesIO()
    pil_from_raster(raster).save(
        buffer,
        "WEBP",
        lossless=lossless,
        exact=True,  # keep the colours under transparent pixels
        **(_LOSSLESS_EFFORT if lossless else {"quality": _QUALITY}),
        exif=metadata.exif,
        icc_profile=metadata.icc_profile,
        xmp=metadata.xmp,
    )
    return buffer.getvalue()


def _chunks(data: bytes) -> Iterator[tuple[str, bytes]]:
    """Name and payload of each RIFF chunk.

    Raises:
        ValueError: if the file ends inside a chunk.
    """
    at = 12
    while at + 8 <= len(data):
        length = int.from_bytes(data[at + 4 : at + 8], "little")
        payload = data[at + 8 : at + 8 + length]
        if len(payload) < length:
            raise ValueError("the file ends too early")
        yield data[at : at + 4].decode("latin-1"), payload
        at += 8 + length + length % 2


def _canvas(chunks: dict[str, bytes]) -> tuple[int, int]:
    """Width and height by the first header that says them."""
    if header := chunks.get("VP8X"):
        width, height = header[4:7], header[7:10]
        return int.from_bytes(width, "little") + 1, int.from_bytes(height, "little") + 1
    if header := chunks.get("VP8L"):
        bits = int.from_bytes(header[1:5], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    header = chunks.get("VP8 ", bytes(10))
    width, height = header[6:8], header[8:10]
    return int.from_bytes(width, "little") & 0x3FFF, int.from_bytes(height, "little") & 0x3FFF
