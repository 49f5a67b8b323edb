"""JPEG: written again from its own planes with its own tables, so known pixels hardly change.

Source: ITU-T T.81 (JPEG), T.871 (JFIF).
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from PIL import Image, JpegImagePlugin

from regionwise.photos.containers.jpeg_planes import FULL, planes
from regionwise.photos.containers.placed_fill import PlacedFill, check_size
from regionwise.photos.metadata import (
    Metadata,
    without_exif_thumbnail,
    without_photoshop_thumbnails,
    without_xmp_thumbnails,
)
from regionwise.photos.raster import (
    Raster,
    UnsupportedPixelsError,
    orientation_of,
    pil_from_raster,
    raster_from_pil,
)

_NEW_QUALITY = 95  # of a JPEG that is made from another format
_APP0, _APP1, _APP2, _APP11, _APP13, _APP14 = 0xE0, 0xE1, 0xE2, 0xEB, 0xED, 0xEE
_COMMENT, _START_OF_SCAN = 0xFE, 0xDA
_END_OF_IMAGE = b"\xff\xd9"
_EXIF, _XMP = b"Exif\0\0", b"http://ns.adobe.com/xap/1.0/\0"
_ICC, _PHOTOSHOP = b"ICC_PROFILE\0", b"Photoshop 3.0\0"
# They hold other pictures: the rest of a long XMP packet (depth maps, the unedited photo), the
# index of pictures behind this one (gain maps, previews), FlashPix and JFIF thumbnails.
_OTHER_PICTURES = (b"http://ns.adobe.com/xmp/extension/\0", b"MPF\0", b"FPXR\0", b"JFXX\0")
_LARGEST = 65500  # pixels a side that libjpeg writes
_LONGEST = 65533  # bytes in a segment


def decode(data: bytes, max_pixels: int) -> Raster:
    """Read the first picture of a JPEG file, in the orientation of the file.

    Pillow and imagecodecs give the same RGB, the latter in half the time, but it takes a truncated
    file for a whole one: a file without an end after its first scan is left to Pillow.
    """
    image = _open(data)
    check_size(*image.size, max_pixels)
    if image.layers != 3 or _END_OF_IMAGE not in _split(data)[1]:
        return raster_from_pil(image)
    from imagecodecs import jpeg8_decode

    info = {str(key): value for key, value in image.info.items()}
    return Raster("RGB", jpeg8_decode(data), info=info, orientation=orientation_of(image))


def _open(data: bytes) -> JpegImagePlugin.JpegImageFile:
    return JpegImagePlugin.JpegImageFile(io.BytesIO(data))


def encode(raster: Raster, metadata: Metadata) -> bytes:
    """Write a JPEG of quality 95 without chroma subsampling. Modes L, RGB, CMYK; 8 bits."""
    if max(raster.samples.shape[:2]) > _LARGEST:
        raise UnsupportedPixelsError(f"is more than JPEG's {_LARGEST} pixels wide or high")
    buffer = io.BytesIO()
    dpi = {"dpi": metadata.dpi} if metadata.dpi else {}
    image = pil_from_raster(raster)
    image.save(buffer, "JPEG", quality=_NEW_QUALITY, subsampling=0, **dpi)
    header, body = _split(buffer.getvalue())
    new = []
    if metadata.exif and len(metadata.exif) <= _LONGEST - len(_EXIF):
        new.append(Segment(_APP1, _EXIF + metadata.exif))
    if metadata.xmp and len(metadata.xmp) <= _LONGEST - len(_XMP):
        new.append(Segment(_APP1, _XMP + metadata.xmp))
    new.extend(_icc_segments(metadata.icc_profile))
    first = [segment for segment in header if segment.marker == _APP0]
    rest = [segment for segment in header if segment.marker != _APP0]
    return _join([*first, *new, *rest], body)


def planes_ahead(original: bytes) -> Future[Image.Image] | None:
    """Start to decode, in the background, what `encode_again` needs of `original`.

    Gives None for a JPEG that isn't written from its planes. What is wrong with the file is told by
    the future's result.
    """
    source = _open(original)
    if not _has_planes(source):
        return None
    pool = ThreadPoolExecutor(1)
    future = pool.submit(planes, original, _subsampling(source))
    pool.shutdown(wait=False)
    return future


def encode_again(
    raster: Raster,
    original: bytes,
    fills: Sequence[PlacedFill],
    ahead: Future[Image.Image] | None = None,
) -> bytes:
    """Write `original` with its fills, with its own tables, subsampling and metadata.

    `ahead` is what `planes_ahead(original)` gave, for one call only: the fills are put into it.

    Chroma that is subsampled another way than 4:2:2 or 4:2:0 (4:4:0, 4:1:1) is written in full, as
    Pillow has no encoder for it. Photoshop's YCCK comes back as plain CMYK.
    """
    source = _open(original)
    options = {"progressive": True} if source.info.get("progressive") else {}
    tables = [source.quantization[layer[3]] for layer in source.layer]
    if source.layers == 4:
        tables = tables[:1]  # Pillow writes CMYK without YCCK's luma and chroma
    elif len(tables) > 1 and all(table == tables[1] for table in tables[2:]):
        tables = tables[: 1 if tables[0] == tables[1] else 2]
    buffer = io.BytesIO()
    subsampling = _subsampling(source)
    if _has_planes(source):
        image = ahead.result() if ahead else planes(original, subsampling)
        _paste(image, fills)
    else:
        image = pil_from_raster(raster)
        options["keep_rgb"] = True
    image.save(buffer, "JPEG", qtables=tables, subsampling=subsampling, **options)
    header, body = _split(buffer.getvalue())
    tables_and_frame = [segment for segment in header if segment.marker != _APP0]
    kept = _kept(_split(original)[0])
    return _join([*kept, *tables_and_frame], body)


def _subsampling(source: JpegImagePlugin.JpegImageFile) -> int:
    return max(JpegImagePlugin.get_sampling(source), FULL)


def _has_planes(source: JpegImagePlugin.JpegImageFile) -> bool:
    """Whether it holds luma and chroma, so that it is written from these and not from RGB."""
    return source.layers == 3 and not _is_rgb(source)


def _is_rgb(source: JpegImagePlugin.JpegImageFile) -> bool:
    """Whether three components are RGB rather than YCbCr, by libjpeg's own rules (jdapimin.c)."""
    if "jfif" in source.info:
        return False
    if "adobe_transform" in source.info:
        return bool(source.info["adobe_transform"] == 0)
    return [layer[0] for layer in source.layer] == [ord(letter) for letter in "RGB"]


def _paste(image: Image.Image, fills: Iterable[PlacedFill]) -> None:
    """Put fills into a YCbCr image."""
    for fill in fills:
        color = Image.fromarray(np.ascontiguousarray(fill.color)).convert("YCbCr")
        image.paste(color, (fill.left, fill.top), Image.fromarray(np.ascontiguousarray(fill.hole)))


@dataclass(frozen=True)
class Segment:
    """One marker of a JPEG file and what it carries, without its length."""

    marker: int
    payload: bytes


def _split(data: bytes) -> tuple[list[Segment], bytes]:
    """The segments before the first scan, and all bytes from that scan on."""
    segments = []
    at = 2
    while data[at + 1] != _START_OF_SCAN:
        if data[at + 1] == 0xFF:  # padding
            at += 1
            continue
        length = int.from_bytes(data[at + 2 : at + 4], "big")
        segments.append(Segment(data[at + 1], data[at + 4 : at + 2 + length]))
        at += 2 + length
    return segments, data[at:]


def _join(segments: Iterable[Segment], body: bytes) -> bytes:
    parts = [b"\xff\xd8"]
    for segment in segments:
        length = (len(segment.payload) + 2).to_bytes(2, "big")
        parts += [bytes([0xFF, segment.marker]), length, segment.payload]
    return b"".join([*parts, body])


def _kept(header: Iterable[Segment]) -> list[Segment]:
    """The segments of the original that say something and still hold.

    Gone are other pictures, signed histories (APP11: their hashes are void, and they may hold a
    thumbnail) and Adobe's marker (APP14), of which the encoder writes its own.
    """
    kept = []
    for segment in header:
        marker, payload = segment.marker, segment.payload
        is_text = 0xE0 <= marker <= 0xEF or marker == _COMMENT
        if not is_text or marker in (_APP11, _APP14) or payload.startswith(_OTHER_PICTURES):
            continue
        if marker == _APP0 and payload.startswith(b"JFIF\0"):
            payload = payload[:12] + b"\0\0"  # the thumbnail is 0×0
        elif marker == _APP1 and payload.startswith(_EXIF):
            payload = _EXIF + without_exif_thumbnail(payload[len(_EXIF) :])
        elif marker == _APP1 and payload.startswith(_XMP):
            payload = _XMP + without_xmp_thumbnails(payload[len(_XMP) :])
        elif marker == _APP13 and payload.startswith(_PHOTOSHOP):
            payload = _PHOTOSHOP + without_photoshop_thumbnails(payload[len(_PHOTOSHOP) :])
        kept.append(Segment(marker, payload))
    return kept


def _icc_segments(profile: bytes) -> list[Segment]:
    """A colour profile, in as many segments as it needs (ICC.1, annex B.4)."""
    room = _LONGEST - len(_ICC) - 2
    pieces = [profile[at : at + room] for at in range(0, len(profile), room)]
    return [
        Segment(_APP2, _ICC + bytes([number, len(pieces)]) + piece)
        for number, piece in enumerate(pieces, start=1)
    ]
