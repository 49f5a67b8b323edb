"""JPEG: filled pixels are spliced into the file, so that all other blocks stay as they are.

Source: ITU-T T.81 (JPEG), T.871 (JFIF).
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from PIL import JpegImagePlugin

from regionwise.arrays import Mask
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

# The splicer's tables take a while to make: what fills other files does without.
if TYPE_CHECKING:
    from regionwise.photos.jpeg_splice import SamplePatch, Splicer

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


def splicer_ahead(original: bytes, top: int, left: int, hole: Mask) -> Future[Splicer]:
    """Start to read, in the background, what `encode_again` needs of `original`.

    Args:
        original: a JPEG file.
        top, left, hole: what will be filled, in the orientation of the file.

    Returns:
        A splicer; what is wrong with the file is told by the future's result.
    """
    pool = ThreadPoolExecutor(1)
    future = pool.submit(_splicer, original, top, left, hole)
    pool.shutdown(wait=False)
    return future


def _splicer(original: bytes, top: int, left: int, hole: Mask) -> Splicer:
    from regionwise.photos.jpeg_splice import Hole, Splicer

    return Splicer(original, [Hole(top, left, hole)])


def encode_again(
    raster: Raster,
    original: bytes,
    fills: Sequence[PlacedFill],
    ahead: Future[Splicer] | None = None,
    notes: list[str] | None = None,
) -> bytes:
    """Write `original` with its fills; each block without a filled pixel keeps its coefficients.

    See `regionwise.photos.jpeg_splice` for what is promised. Kinds of JPEG that can't be spliced
    (arithmetic coding, 12 bits, damaged files that decoders forgive) are encoded as a whole, with
    their own tables, and known pixels change a little.

    Args:
        raster: the whole picture with its fills.
        original: the file.
        fills: the new pixels.
        ahead: what `splicer_ahead` gave for this file and these holes.
        notes: gets a line if the file was encoded as a whole.
    """
    from regionwise.photos.jpeg_splice import SpliceError, Splicer

    patches = [_patch(raster, fill) for fill in fills]
    try:
        splicer = ahead.result() if ahead else Splicer(original, patches)
        return _without_other_pictures(splicer.written(patches))
    except SpliceError as reason:
        if notes is not None:
            notes.append(f"known pixels change a little, as this JPEG can't be spliced: {reason}")
        return _encoded_as_a_whole(raster, original)


def _patch(raster: Raster, fill: PlacedFill) -> SamplePatch:
    """A fill in the samples of the file: grey, RGB or ink."""
    from regionwise.photos.jpeg_splice import SamplePatch

    height, width = fill.hole.shape
    if raster.mode == "CMYK":
        samples = raster.samples[fill.top : fill.top + height, fill.left : fill.left + width]
    else:
        samples = fill.color[..., 0] if raster.mode == "L" else fill.color
    return SamplePatch(fill.top, fill.left, np.ascontiguousarray(samples), fill.hole)


def _without_other_pictures(data: bytes) -> bytes:
    """Drop what would still show what was removed: thumbnails, and pictures behind this one."""
    from regionwise.photos.jpeg_splice.structure import parse

    header, body = _split(data[: parse(data).end])
    kept: list[Segment] = []
    for segment in header:
        if segment.marker == _APP14 or not _is_text(segment):  # APP14 says what the planes hold
            kept.append(segment)
        else:
            kept += _kept([segment])
    return _join(kept, body)


def _encoded_as_a_whole(raster: Raster, original: bytes) -> bytes:
    """With the original's tables; 4:4:0 and 4:1:1 become 4:4:4, YCCK plain CMYK."""
    source = _open(original)
    options = {"progressive": True} if source.info.get("progressive") else {}
    tables = [source.quantization[layer[3]] for layer in source.layer]
    if source.layers == 4:
        tables = tables[:1]  # Pillow writes CMYK without YCCK's luma and chroma
    elif len(tables) > 1 and all(table == tables[1] for table in tables[2:]):
        tables = tables[: 1 if tables[0] == tables[1] else 2]
    buffer = io.BytesIO()
    pil_from_raster(raster).save(
        buffer,
        "JPEG",
        qtables=tables,
        subsampling=max(JpegImagePlugin.get_sampling(source), 0),
        keep_rgb=source.layers == 3 and _is_rgb(source),
        **options,
    )
    header, body = _split(buffer.getvalue())
    tables_and_frame = [segment for segment in header if segment.marker != _APP0]
    kept = _kept(_split(original)[0])
    return _join([*kept, *tables_and_frame], body)


def _is_rgb(source: JpegImagePlugin.JpegImageFile) -> bool:
    """Whether three components are RGB rather than YCbCr, by libjpeg's own rules (jdapimin.c)."""
    if "jfif" in source.info:
        return False
    if "adobe_transform" in source.info:
        return bool(source.info["adobe_transform"] == 0)
    return [layer[0] for layer in source.layer] == [ord(letter) for letter in "RGB"]


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


def _is_text(segment: Segment) -> bool:
    """Whether it says something, and is no part of the picture."""
    return 0xE0 <= segment.marker <= 0xEF or segment.marker == _COMMENT


def _kept(header: Iterable[Segment]) -> list[Segment]:
    """The segments of the original that say something and still hold.

    Gone are other pictures, signed histories (APP11: their hashes are void, and they may hold a
    thumbnail) and Adobe's marker (APP14), of which the encoder writes its own.
    """
    kept = []
    for segment in header:
        marker, payload = segment.marker, segment.payload
        if (
            not _is_text(segment)
            or marker in (_APP11, _APP14)
            or payload.startswith(_OTHER_PICTURES)
        ):
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
