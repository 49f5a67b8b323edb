"""JPEG XL, by imagecodecs: written without loss, with its EXIF and XMP boxes.

Source: ISO/IEC 18181-2 (file format): boxes "Exif" and "xml ".
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from regionwise.photos.containers.boxes import IsoBox, box, boxes
from regionwise.photos.containers.placed_fill import PlacedFill, check_size
from regionwise.photos.metadata import Metadata, without_exif_thumbnail, without_xmp_thumbnails
from regionwise.photos.raster import Raster, UnsupportedPixelsError, raster_from_array

_CONTAINER = b"\0\0\0\x0cJXL \r\n\x87\n"


def decode(data: bytes, max_pixels: int) -> Raster:
    """Read a JPEG XL file, upright."""
    from imagecodecs import jpegxl_decode

    check_size(*_size(data), max_pixels)
    samples = jpegxl_decode(data, index=None)
    if samples.ndim > 3:
        raise UnsupportedPixelsError("is animated; save the one frame that you mean as a file")
    if samples.dtype not in (np.uint8, np.uint16):
        raise UnsupportedPixelsError(f"has samples of {samples.dtype}; convert it to 8 or 16 bits")
    raster = raster_from_array(np.ascontiguousarray(samples))
    info: dict[str, object] = {}
    for found in _said(data):
        if found.kind == b"Exif":
            info["exif"] = found.payload[4:]
        elif found.kind == b"xml ":
            info["xmp"] = found.payload
    return Raster(raster.mode, raster.samples, info=info)


def encode(raster: Raster, metadata: Metadata) -> bytes:
    """Write a lossless JPEG XL. Modes L, LA, RGB and RGBA, 8 or 16 bits."""
    said = []
    if metadata.exif:
        said.append(box(b"Exif", bytes(4) + metadata.exif))
    if metadata.xmp:
        said.append(box(b"xml ", metadata.xmp))
    return _encode(raster, said)


def encode_again(raster: Raster, original: bytes, fills: Sequence[PlacedFill]) -> bytes:
    """Write new pixels with the original's EXIF and XMP."""
    said = []
    for found in _said(original):
        payload = found.payload
        if found.kind == b"Exif":
            payload = payload[:4] + without_exif_thumbnail(payload[4:])
        elif found.kind == b"xml ":
            payload = without_xmp_thumbnails(payload)
        said.append(box(found.kind, payload))
    return _encode(raster, said)


def _encode(raster: Raster, said: Sequence[bytes]) -> bytes:
    from imagecodecs import jpegxl_encode

    samples = np.ascontiguousarray(raster.samples)
    encoded = bytes(jpegxl_encode(samples, lossless=True, usecontainer=True))
    return encoded + b"".join(said)


def _said(data: bytes) -> list[IsoBox]:
    if not data.startswith(_CONTAINER):
        return []
    return [found for found in boxes(data) if found.kind in (b"Exif", b"xml ", b"brob")]


def _size(data: bytes) -> tuple[int, int]:
    """Width and height, by the first bits of the codestream (ISO/IEC 18181-1, section 9.2)."""
    stream = data
    if data.startswith(_CONTAINER):
        parts = {found.kind: found.payload for found in boxes(data)}
        stream = parts.get(b"jxlc") or parts.get(b"jxlp", b"")[4:]
    bits = _Bits(stream[2:34])
    ratios = {1: (1, 1), 2: (12, 10), 3: (4, 3), 4: (3, 2), 5: (16, 9), 6: (5, 4), 7: (2, 1)}
    small = bits.take(1)
    height = (bits.take(5) + 1) * 8 if small else bits.long() + 1
    ratio = bits.take(3)
    if ratio:
        across, down = ratios[ratio]
        return height * across // down, height
    return ((bits.take(5) + 1) * 8 if small else bits.long() + 1), height


class _Bits:
    """Bits of a codestream, the lowest of each byte first."""

    def __init__(self, data: bytes) -> None:
        self._value = int.from_bytes(data, "little")

    def take(self, count: int) -> int:
        value = self._value & ((1 << count) - 1)
        self._value >>= count
        return value

    def long(self) -> int:
        """A number of 9, 13, 18 or 30 bits."""
        return self.take((9, 13, 18, 30)[self.take(2)])
