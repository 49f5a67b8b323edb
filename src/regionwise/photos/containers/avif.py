"""AVIF, by imagecodecs: written without loss, with its profile, EXIF, XMP, orientation and depth.

Pillow reads what the file says; it would write with loss. Orientation is kept as AVIF has it, in
the properties irot and imir.

Source: AV1 Image File Format (AOM, version 1.1); ISO/IEC 23008-12 (HEIF), sections 6.5.10 to 12.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from PIL import AvifImagePlugin

from regionwise.arrays import Mask, Pixels
from regionwise.photos.containers.avif_sequence import (
    Timing,
    read_timing,
    samples_followed,
    with_timing,
    with_track_metadata,
)
from regionwise.photos.containers.bit_depth import narrowed, widened
from regionwise.photos.containers.boxes import boxes
from regionwise.photos.containers.heif_items import NewItem, with_items
from regionwise.photos.containers.placed_fill import PlacedFill, check_size
from regionwise.photos.metadata import (
    Metadata,
    metadata_from_info,
)
from regionwise.photos.raster import (
    Raster,
    UnsupportedPixelsError,
    orientation_of,
    raster_from_array,
)

_LOSSLESS, _NEW_LEVEL = 100, 90
_SPEED = 8  # of 10: a third of the time of 6, for files a few percent larger
# orientation: (quarter turns to the left, the axis that is mirrored)
_TURNS = {
    1: (0, None), 2: (0, 1), 3: (2, None), 4: (0, 0),
    5: (1, 0), 6: (3, None), 7: (3, 0), 8: (1, None),
}  # fmt: skip


def decode(data: bytes, max_pixels: int) -> Raster:
    """Read an AVIF file, in the orientation of the file; 10 and 12 bits as 16."""
    image = AvifImagePlugin.AvifImageFile(io.BytesIO(data))
    check_size(*image.size, max_pixels)
    if image.is_animated:
        raise UnsupportedPixelsError(
            "is animated; give `page`, or save the one frame that you mean"
        )
    samples = _stack(data)[0]
    bits = _bits(data)
    raster = raster_from_array(np.ascontiguousarray(widened(samples, bits)))
    info = {str(key): value for key, value in image.info.items()}
    return Raster(raster.mode, raster.samples, info=info, orientation=orientation_of(image))


def encode(raster: Raster, metadata: Metadata) -> bytes:
    """Write an AVIF of level 90 without chroma subsampling, 8 bits, or 10 of deeper pictures."""
    return _encode(raster, metadata, 1, 10 if raster.is_deep else 8, _NEW_LEVEL, {})


def encode_again(raster: Raster, original: bytes, fills: Sequence[PlacedFill]) -> bytes:
    """Write new pixels with the original's metadata, colours and depth, without any loss."""
    image = AvifImagePlugin.AvifImageFile(io.BytesIO(original))
    info = {str(key): value for key, value in image.info.items()}
    metadata = metadata_from_info(info).upright()  # irot and imir say how it lies
    return _encode(
        raster, metadata, raster.orientation, _bits(original), _LOSSLESS, _colors(original)
    )


def count_frames(data: bytes) -> int:
    """How many pictures the file shows one after another."""
    return int(AvifImagePlugin.AvifImageFile(io.BytesIO(data)).n_frames)


def decode_frames(data: bytes, max_pixels: int) -> Iterator[Raster]:
    """The pictures of a sequence, as `decode` gives the first one."""
    image = AvifImagePlugin.AvifImageFile(io.BytesIO(data))
    check_size(image.width, image.height * image.n_frames, max_pixels)
    bits, orientation = _bits(data), orientation_of(image)
    for samples in _stack(data):
        raster = raster_from_array(np.ascontiguousarray(widened(samples, bits)))
        yield Raster(raster.mode, raster.samples, orientation=orientation)


def encode_frames(rasters: Sequence[Raster], original: bytes, holes: Sequence[Mask]) -> bytes:
    """Write a sequence with the original's timing, metadata and depth, without any loss."""
    image = AvifImagePlugin.AvifImageFile(io.BytesIO(original))
    info = {str(key): value for key, value in image.info.items()}
    metadata = metadata_from_info(info).upright()
    stack = Raster(rasters[0].mode, np.stack([raster.samples for raster in rasters]))
    return _encode(
        stack,
        metadata,
        rasters[0].orientation,
        _bits(original),
        _LOSSLESS,
        _colors(original),
        timing=read_timing(original),
    )


def _encode(
    raster: Raster,
    metadata: Metadata,
    orientation: int,
    bits: int,
    level: int,
    colors: dict[str, Any],
    *,
    timing: Timing | None = None,
) -> bytes:
    from imagecodecs import avif_encode

    samples = np.ascontiguousarray(narrowed(raster.samples, bits))
    encoded = bytes(avif_encode(samples, level=level, speed=_SPEED, bitspersample=bits, **colors))
    if timing is not None:
        encoded = with_timing(encoded, timing)
    items = []
    if metadata.exif:
        items.append(NewItem(b"Exif", b"", bytes(4) + metadata.exif))
    if metadata.xmp:
        items.append(NewItem(b"mime", b"application/rdf+xml", metadata.xmp))
    properties = []
    if metadata.icc_profile:
        properties.append((b"colr", b"prof" + metadata.icc_profile))
    turns, axis = _TURNS[orientation]
    if turns:
        properties.append((b"irot", bytes([turns])))
    if axis is not None:
        properties.append((b"imir", bytes([axis])))
    if not items and not properties:
        return encoded
    whole = with_items(encoded, items, properties)
    if timing is None:
        return whole
    return with_track_metadata(samples_followed(whole, encoded), items, metadata.icc_profile)


def _stack(data: bytes) -> Pixels:
    """All pictures; decoding one of several by its index ends the process (imagecodecs 2026.3)."""
    from imagecodecs import avif_decode

    samples: Pixels = np.asarray(avif_decode(data, index=None))
    animated = AvifImagePlugin.AvifImageFile(io.BytesIO(data)).n_frames > 1
    return samples if animated else samples[None]


def _property(data: bytes, kind: bytes, start: bytes = b"") -> bytes:
    """The first property of a kind in the file, or nothing."""
    for meta in boxes(data):
        if meta.kind != b"meta":
            continue
        for iprp in boxes(meta.payload, 4):
            if iprp.kind != b"iprp":
                continue
            for ipco in boxes(iprp.payload):
                for found in boxes(ipco.payload) if ipco.kind == b"ipco" else ():
                    if found.kind == kind and found.payload.startswith(start):
                        return found.payload
    return b""


def _bits(data: bytes) -> int:
    """Bits a sample, by the AV1 configuration (av1C, third byte)."""
    flags = _property(data, b"av1C")[2:3] or b"\0"
    return (12 if flags[0] & 0x20 else 10) if flags[0] & 0x40 else 8


def _colors(data: bytes) -> dict[str, Any]:
    """What the numbers mean (CICP, ITU-T H.273), for HDR pictures."""
    said = _property(data, b"colr", b"nclx")
    if len(said) < 10:
        return {}
    primaries, transfer = struct.unpack_from(">HH", said, 4)
    return {"primaries": primaries, "transfer": transfer}
