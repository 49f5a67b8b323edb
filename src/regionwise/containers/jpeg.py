"""JPEG: written again from its own decoded planes, so that known pixels hardly change.

Decoding to RGB and encoding again with the same tables is not neutral: the decoder smooths
subsampled chroma and clips colours, and the encoder cannot undo that. Here the planes are taken as
they lie in the file, luma at full and chroma at half resolution. The inverse DCT of a block,
rounded to 8 bits, comes back to the very same coefficients unless a table's steps are 1 or 2 or
samples were clipped at black or white. So blocks that touch no hole stay what they were.

Source: ITU-T T.81 (JPEG), T.871 (JFIF).
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image, JpegImagePlugin

from regionwise.containers.stored_fill import StoredFill, check_size
from regionwise.metadata import (
    Metadata,
    without_exif_thumbnail,
    without_photoshop_thumbnails,
    without_xmp_thumbnails,
)
from regionwise.raster import Raster, pil_from_raster, raster_from_pil

_NEW_QUALITY = 95  # of a JPEG that is made from another format
_APP0, _APP1, _APP2, _APP11, _APP13, _APP14 = 0xE0, 0xE1, 0xE2, 0xEB, 0xED, 0xEE
_COMMENT, _START_OF_SCAN = 0xFE, 0xDA
_EXIF, _XMP = b"Exif\0\0", b"http://ns.adobe.com/xap/1.0/\0"
_ICC, _PHOTOSHOP = b"ICC_PROFILE\0", b"Photoshop 3.0\0"
# They hold other pictures: the rest of a long XMP packet (depth maps, the unedited photo), the
# index of pictures behind this one (gain maps, previews), FlashPix and JFIF thumbnails.
_OTHER_PICTURES = (b"http://ns.adobe.com/xmp/extension/\0", b"MPF\0", b"FPXR\0", b"JFXX\0")
_LONGEST = 65533  # bytes in a segment


def decode(data: bytes, max_pixels: int) -> Raster:
    """Read the first picture of a JPEG file, in the orientation of the file."""
    image = _open(data)
    check_size(*image.size, max_pixels)
    return raster_from_pil(image)


def _open(data: bytes) -> JpegImagePlugin.JpegImageFile:
    return JpegImagePlugin.JpegImageFile(io.BytesIO(data))


def encode(raster: Raster, metadata: Metadata) -> bytes:
    """Write a JPEG of quality 95 without chroma subsampling. Modes L, RGB, CMYK; 8 bits."""
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


def encode_again(raster: Raster, original: bytes, fills: Sequence[StoredFill]) -> bytes:
    """Write `original` with its fills, with its own tables, subsampling and metadata.

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
    if source.layers == 3 and _is_rgb(source, original):
        image, subsampling = pil_from_raster(raster), 0
        options["keep_rgb"] = True
    elif source.layers == 3:
        image, subsampling = _planes_with_fills(original, fills)
    else:
        image, subsampling = pil_from_raster(raster), -1
    image.save(buffer, "JPEG", qtables=tables, subsampling=subsampling, **options)
    header, body = _split(buffer.getvalue())
    tables_and_frame = [segment for segment in header if segment.marker != _APP0]
    kept = _kept(_split(original)[0])
    return _join([*kept, *tables_and_frame], body)


def _is_rgb(source: JpegImagePlugin.JpegImageFile, original: bytes) -> bool:
    """Whether three components are RGB rather than YCbCr, by libjpeg's own rules (jdapimin.c)."""
    if "jfif" in source.info:
        return False
    if "adobe_transform" in source.info:
        return bool(source.info["adobe_transform"] == 0)
    return [layer[0] for layer in source.layer] == [ord(letter) for letter in "RGB"]


def _planes_with_fills(original: bytes, fills: Sequence[StoredFill]) -> tuple[Image.Image, int]:
    """The YCbCr planes that lie in the file, and Pillow's number for their subsampling."""
    subsampling = JpegImagePlugin.get_sampling(_open(original))
    planes = _open(original)
    width, height = planes.size
    planes.draft("YCbCr", planes.size)
    if subsampling == 2 and min(width, height) > 1:
        # At half scale libjpeg gives chroma as it is stored, and shrinks luma only.
        half = _open(original)
        half.draft("YCbCr", (width // 2, height // 2))
        luma = _open(original)
        luma.draft("L", luma.size)
        area = (0, 0, width / 2, height / 2)
        chroma = [
            plane.resize((width, height), Image.Resampling.NEAREST, box=area)
            for plane in half.split()[1:]
        ]
        luma.load()
        image = Image.merge("YCbCr", [luma.copy(), *chroma])
    elif subsampling == 1:
        luma_plane, *smooth = planes.split()
        chroma = [Image.fromarray(_unsmoothed(np.asarray(plane))) for plane in smooth]
        image = Image.merge("YCbCr", [luma_plane, *chroma])
    else:
        planes.load()
        image = planes.copy()
    for fill in fills:
        color = Image.fromarray(np.ascontiguousarray(fill.color)).convert("YCbCr")
        mask = Image.fromarray(np.ascontiguousarray(fill.hole).astype(np.uint8) * 255)
        image.paste(color, (fill.left, fill.top), mask)
    return image, max(subsampling, 0)


def _unsmoothed(plane: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """Take back libjpeg's smooth doubling of a plane's width ("fancy upsampling", jdsample.c).

    The decoder makes two columns of one: c becomes (3 c + left) / 4 and (3 c + right) / 4, so the
    mean m of a pair is (left + 6 c + right) / 8. That filter's inverse is the two-sided geometric
    series sqrt(2) ρ^|k| with ρ = 2 sqrt(2) - 3; eight terms a side leave an error of 1e-6.

    Returns:
        The stored plane, each column twice, height×width.
    """
    ratio = 2 * 2**0.5 - 3
    terms, rows = 8, 128  # a strip of rows at a time stays in the processor's cache
    width = plane.shape[1]
    stored = np.empty((plane.shape[0], (width + 1) // 2), np.uint8)
    for top in range(0, plane.shape[0], rows):
        strip = np.pad(plane[top : top + rows], ((0, 0), (0, width % 2)), mode="edge")
        means = (strip[:, ::2].astype(np.float32) + strip[:, 1::2]) / 2
        series = np.pad(means, ((0, 0), (terms, terms)), mode="symmetric")
        for step in (1, 2, 4):
            series[:, step:] += ratio**step * series[:, :-step].copy()
        for step in (1, 2, 4):
            series[:, :-step] += ratio**step * series[:, step:].copy()
        series *= 2**0.5 * (1 - ratio**2)
        stored[top : top + rows] = series[:, terms:-terms].round().clip(0, 255)
    return stored.repeat(2, axis=1)[:, :width]


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
