"""JPEG XL, by imagecodecs: written without loss, with its EXIF and XMP boxes.

Source: ISO/IEC 18181-2 (file format): boxes "Exif" and "xml ".
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from regionwise.arrays import Mask
from regionwise.photos.containers.boxes import IsoBox, box, boxes
from regionwise.photos.containers.placed_fill import PlacedFill, check_size
from regionwise.photos.metadata import Metadata, without_exif_thumbnail, without_xmp_thumbnails
from regionwise.photos.raster import Raster, UnsupportedPixelsError, raster_from_array

_CONTAINER = b"\0\0\0\x0cJXL \r\n\x87\n"


def decode(data: bytes, max_pixels: int) -> Raster:
    """Read a JPEG XL file, upright."""
    from imagecodecs import jpegxl_decode

    header = _header(data)
    check_size(header.width, header.height, max_pixels)
    samples = jpegxl_decode(data, index=None)
    if samples.ndim > 3:
        raise UnsupportedPixelsError(
            "is animated; give `page`, or save the one frame that you mean"
        )
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


def count_frames(data: bytes) -> int:
    """How many pictures the file shows one after another; an animation is decoded for that."""
    from imagecodecs import jpegxl_decode

    if not _header(data).animated:
        return 1
    samples = jpegxl_decode(data, index=None)
    return len(samples) if samples.ndim > 3 else 1


def decode_frames(data: bytes, max_pixels: int) -> Iterator[Raster]:
    """The pictures of an animation."""
    from imagecodecs import jpegxl_decode

    header = _header(data)
    check_size(header.width, header.height, max_pixels)
    samples = jpegxl_decode(data, index=None)
    height, width = samples.shape[1:3]
    check_size(width, height * len(samples), max_pixels)
    yield from (raster_from_array(np.ascontiguousarray(one)) for one in samples)


def encode_frames(rasters: Sequence[Raster], original: bytes, holes: Sequence[Mask]) -> bytes:
    """Refuse it: the encoder takes no timing.

    Raises:
        UnsupportedPixelsError: always.
    """
    raise UnsupportedPixelsError("is one of an animation, which is not written as JPEG XL")


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


@dataclass(frozen=True)
class _Header:
    """The first fields of a codestream: its size, and whether it is animated or has a profile."""

    width: int
    height: int
    animated: bool = False
    has_profile: bool = False


def _header(data: bytes) -> _Header:
    """Source: ISO/IEC 18181-1, annex D (SizeHeader, ImageMetadata, ColourEncoding)."""
    stream = data
    if data.startswith(_CONTAINER):
        stream = next(
            found.payload[4 * (found.kind == b"jxlp") :]
            for found in boxes(data)
            if found.kind in (b"jxlc", b"jxlp")
        )
    bits = _Bits(stream[2:66])
    width, height = _size(bits)
    if bits.take(1):  # all the rest is as usual
        return _Header(width, height)
    animated = False
    if bits.take(1):
        bits.take(3)  # orientation
        if bits.take(1):
            _size(bits)  # intrinsic
        if bits.take(1):
            return _Header(width, height)  # a preview: what follows is not looked at
        animated = bool(bits.take(1))
        if animated:
            bits.choice((0, 100), (0, 1000), (10, 1), (30, 1))
            bits.choice((0, 1), (0, 1001), (8, 1), (10, 1))
            bits.choice((0, 0), (3, 0), (16, 0), (32, 0))
            bits.take(1)
    if bits.take(1):
        bits.choice((0, 32), (0, 16), (0, 24), (6, 1))
        bits.take(4)
    else:
        bits.choice((0, 8), (0, 10), (0, 12), (6, 1))
    bits.take(1)
    for _ in range(bits.choice((0, 0), (0, 1), (4, 2), (12, 1))):
        if not bits.take(1):
            return _Header(width, height, animated)  # an extra channel of an unusual kind
    bits.take(1)
    has_profile = not bits.take(1) and bool(bits.take(1))
    return _Header(width, height, animated, has_profile)


def has_profile(data: bytes) -> bool:
    """Whether a file has a colour profile, which can't be read here."""
    return _header(data).has_profile


def _size(bits: _Bits) -> tuple[int, int]:
    """Width and height."""
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

    def choice(self, *ways: tuple[int, int]) -> int:
        """A number of so many bits plus an offset, by one of four ways."""
        width, offset = ways[self.take(2)]
        return self.take(width) + offset
