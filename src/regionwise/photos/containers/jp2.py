"""JPEG 2000, by imagecodecs (OpenJPEG): written without loss, with its profile, EXIF and XMP.

Source: ISO/IEC 15444-1, annex I (file format) and A.5.1 (SIZ).
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Any

import numpy as np

from regionwise.photos.containers.bit_depth import narrowed, widened
from regionwise.photos.containers.boxes import IsoBox, box, boxes
from regionwise.photos.containers.placed_fill import PlacedFill, check_size
from regionwise.photos.metadata import Metadata, without_exif_thumbnail, without_xmp_thumbnails
from regionwise.photos.raster import Raster, UnsupportedPixelsError, raster_from_array

_SIGNATURE = b"\0\0\0\x0cjP  \r\n\x87\n"
_XMP = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")
_EXIF = b"JpgTiffExif->JP2"
_KEPT = (b"uuid", b"xml ", b"uinf")


def decode(data: bytes, max_pixels: int) -> Raster:
    """Read a JPEG 2000 file (or a bare codestream)."""
    from imagecodecs import jpeg2k_decode

    width, height, bits = _header(data)
    check_size(width, height, max_pixels)
    samples = np.asarray(jpeg2k_decode(data))
    if samples.dtype not in (np.uint8, np.uint16):
        raise UnsupportedPixelsError(f"has samples of {samples.dtype}; convert it to 8 or 16 bits")
    raster = raster_from_array(np.ascontiguousarray(widened(samples, bits)))
    if raster.samples.shape[:2] != (height, width):
        raise ValueError("its header contradicts its pixels")
    info: dict[str, Any] = {}
    for found in _boxes(data):
        if found.kind == b"uuid" and found.payload.startswith(_XMP):
            info["xmp"] = found.payload[16:]
        elif found.kind == b"uuid" and found.payload.startswith(_EXIF):
            info["exif"] = found.payload[16:]
    for found in _colors(data):
        if found.payload[:1] == b"\2":
            info["icc_profile"] = found.payload[3:]
    return Raster(raster.mode, raster.samples, info=info)


def encode(raster: Raster, metadata: Metadata) -> bytes:
    """Write a lossless JPEG 2000. Modes L, LA, RGB and RGBA, 8 or 16 bits."""
    said = []
    if metadata.xmp:
        said.append(box(b"uuid", _XMP + metadata.xmp))
    if metadata.exif:
        said.append(box(b"uuid", _EXIF + metadata.exif))
    profile = box(b"colr", b"\2\0\0" + metadata.icc_profile) if metadata.icc_profile else b""
    return _encode(raster, 16 if raster.is_deep else 8, said, profile)


def encode_again(raster: Raster, original: bytes, fills: Sequence[PlacedFill]) -> bytes:
    """Write new pixels with the original's profile, EXIF, XMP and depth."""
    said = []
    for found in _boxes(original):
        payload = found.payload
        if payload.startswith(_XMP):
            payload = _XMP + without_xmp_thumbnails(payload[16:])
        elif payload.startswith(_EXIF):
            payload = _EXIF + without_exif_thumbnail(payload[16:])
        if found.kind in _KEPT:
            said.append(box(found.kind, payload))
    profile = b"".join(found.data for found in _colors(original) if found.payload[:1] == b"\2")
    return _encode(raster, _header(original)[2], said, profile)


def _encode(raster: Raster, bits: int, said: Sequence[bytes], profile: bytes) -> bytes:
    from imagecodecs import jpeg2k_encode

    samples = np.ascontiguousarray(narrowed(raster.samples, bits))
    encoded = bytes(
        jpeg2k_encode(samples, level=0, reversible=True, bitspersample=bits if bits > 8 else 8)
    )
    parts = [_SIGNATURE]
    for found in boxes(encoded, len(_SIGNATURE)):
        if found.kind == b"jp2h" and profile:
            inside = [one for one in boxes(found.payload) if one.kind != b"colr"]
            payload = inside[0].data + profile + b"".join(one.data for one in inside[1:])
            parts.append(box(b"jp2h", payload))
        else:
            parts.append(found.data)
        if found.kind == b"jp2h":
            parts += said
    return b"".join(parts)


def _boxes(data: bytes) -> list[IsoBox]:
    return list(boxes(data, len(_SIGNATURE))) if data.startswith(_SIGNATURE) else []


def _colors(data: bytes) -> list[IsoBox]:
    inside = [found for found in _boxes(data) if found.kind == b"jp2h"]
    return [one for found in inside for one in boxes(found.payload) if one.kind == b"colr"]


def _header(data: bytes) -> tuple[int, int, int]:
    """Width, height and bits a sample, by the codestream's SIZ.

    Raises:
        UnsupportedPixelsError: for samples with a sign, or of unequal depths or sizes.
    """
    at = data.find(b"\xff\x4f\xff\x51")
    if at < 0 or at + 42 > len(data):
        raise ValueError("it has no codestream")
    right, bottom, left, top = struct.unpack_from(">4I", data, at + 8)
    count = int.from_bytes(data[at + 40 : at + 42], "big")
    parts = data[at + 42 : at + 42 + 3 * count]
    if len(set(parts[::3])) != 1 or parts[0] & 0x80 or set(parts[1::3] + parts[2::3]) != {1}:
        raise UnsupportedPixelsError("has channels of several kinds; convert it to PNG first")
    return right - left, bottom - top, parts[0] + 1
