"""PNG: 8 bits by Pillow, 16 bits by imagecodecs (Pillow reads those as 8), chunks by hand.

Source: W3C Portable Network Graphics (third edition), sections 5 and 11; 14.2 for what an editor
may copy.
"""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

import numpy as np
from PIL import PngImagePlugin

from regionwise.arrays import Mask
from regionwise.photos.containers.placed_fill import PlacedFill, check_size
from regionwise.photos.metadata import Metadata, without_exif_thumbnail, without_xmp_thumbnails
from regionwise.photos.raster import (
    Raster,
    UnsupportedPixelsError,
    orientation_of,
    pil_from_raster,
    raster_from_array,
    raster_from_pil,
)

_LEVEL = 4  # of zlib: 2.5 times as fast as the usual 6, for files 2 to 4 % larger
_SIGNATURE = b"\x89PNG\r\n\x1a\n"
# Chunks that an editor who changes pixels may not copy without knowing them, and that still hold.
_COLOR_CHUNKS = {b"cHRM", b"gAMA", b"iCCP", b"sRGB", b"cICP", b"mDCV", b"cLLI"}
_SAME_MODE_CHUNKS = {b"sBIT", b"bKGD"}  # their length hangs on the colour type
_SIGNED_HISTORY = b"caBX"  # its hashes are void, and it may hold a thumbnail
_XMP_KEYWORD = b"XML:com.adobe.xmp\0"


def decode(data: bytes, max_pixels: int) -> Raster:
    """Read a PNG file, in the orientation of the file."""
    image = PngImagePlugin.PngImageFile(io.BytesIO(data))
    check_size(*image.size, max_pixels)
    if image.is_animated:
        raise UnsupportedPixelsError(
            "is animated; give `page`, or save the one frame that you mean"
        )
    if _bit_depth(data) != 16:
        return raster_from_pil(image)
    from imagecodecs import png_decode

    for _ in _chunks(data):  # each chunk has its checksum
        pass
    # Pillow still finds the text behind the pixels, and the orientation.
    eight_bits = raster_from_pil(image)
    info = {name: value for name, value in eight_bits.info.items() if name != "transparency"}
    raster = raster_from_array(png_decode(data))
    return replace(raster, info=info, orientation=eight_bits.orientation)


def encode(raster: Raster, metadata: Metadata) -> bytes:
    """Write a PNG. Any mode but CMYK, 8 or 16 bits."""
    chunks = []
    if metadata.icc_profile:
        profile = b"ICC profile\0\0" + zlib.compress(metadata.icc_profile)
        chunks.append((b"iCCP", profile))
    if metadata.dpi:
        across, down = (round(dots / 0.0254) for dots in metadata.dpi)
        chunks.append((b"pHYs", struct.pack(">IIB", across, down, 1)))
    if metadata.exif:
        chunks.append((b"eXIf", metadata.exif))
    if metadata.xmp:
        chunks.append((b"iTXt", _XMP_KEYWORD + bytes(4) + metadata.xmp))
    return _assemble(_encode_pixels(raster), chunks, [])


def encode_again(raster: Raster, original: bytes, fills: Sequence[PlacedFill]) -> bytes:
    """Write new pixels with the original's chunks, byte for byte, on their side of the pixels."""
    encoded = _encode_pixels(raster)
    same_kind = encoded[24:26] == original[24:26]  # bit depth and colour type
    before: list[tuple[bytes, bytes]] = []
    behind: list[tuple[bytes, bytes]] = []
    side = before
    for kind, payload in _chunks(original):
        if kind == b"IDAT":
            side = behind
        elif _holds_still(kind, same_kind):
            side.append((kind, _without_thumbnail(kind, payload)))
    return _assemble(encoded, before, behind)


def count_frames(data: bytes) -> int:
    """How many pictures the file holds, a default one beside an animation too."""
    image = PngImagePlugin.PngImageFile(io.BytesIO(data))
    return int(image.n_frames) if image.is_animated else 1


def decode_frames(data: bytes, max_pixels: int) -> Iterator[Raster]:
    """The pictures of an animation as they are shown, RGB or RGBA."""
    image = PngImagePlugin.PngImageFile(io.BytesIO(data))
    check_size(image.width, image.height * image.n_frames, max_pixels)
    if _bit_depth(data) == 16:
        raise UnsupportedPixelsError("is animated and of 16 bits; save its frames as files")
    has_alpha = any(kind == b"tRNS" for kind, _ in _chunks(data)) or "A" in image.mode
    for number in range(image.n_frames):
        image.seek(number)
        orientation = orientation_of(image)
        pixels = np.asarray(image.convert("RGBA" if has_alpha else "RGB"))
        yield Raster("RGBA" if has_alpha else "RGB", pixels, orientation=orientation)


def encode_frames(rasters: Sequence[Raster], original: bytes, holes: Sequence[Mask]) -> bytes:
    """Write an animation with the original's delays and chunks."""
    image = PngImagePlugin.PngImageFile(io.BytesIO(original))
    has_default = bool(image.info.get("default_image"))
    delays = []
    for number in range(image.n_frames):
        image.seek(number)
        delays.append(float(image.info.get("duration", 0)))
    pictures = [pil_from_raster(raster) for raster in rasters]
    buffer = io.BytesIO()
    pictures[0].save(
        buffer,
        "PNG",
        save_all=True,
        append_images=pictures[1:],
        default_image=has_default,
        duration=delays[1:] if has_default else delays,
        loop=image.info.get("loop", 0),
        compress_level=_LEVEL,
        disposal=PngImagePlugin.Disposal.OP_NONE,
        blend=PngImagePlugin.Blend.OP_SOURCE,
    )
    said = [
        (kind, _without_thumbnail(kind, payload))
        for kind, payload in _chunks(original)
        if _holds_still(kind, same_kind=False) and kind not in _ANIMATION
    ]
    header, *rest = _chunks(buffer.getvalue())
    return _joined([header, *said, *(one for one in rest if one[0] in (*_NEEDED, *_ANIMATION))])


def _holds_still(kind: bytes, same_kind: bool) -> bool:
    """Whether a chunk of the original may be copied: its name's last letter is small, or known."""
    is_ancillary = bool(kind[0] & 0x20)
    is_safe = bool(kind[3] & 0x20) and kind != _SIGNED_HISTORY
    return is_ancillary and (
        is_safe or kind in _COLOR_CHUNKS or (same_kind and kind in _SAME_MODE_CHUNKS)
    )


def _without_thumbnail(kind: bytes, payload: bytes) -> bytes:
    if kind == b"eXIf":
        return without_exif_thumbnail(payload)
    if kind == b"iTXt" and payload.startswith(_XMP_KEYWORD + b"\0"):
        return without_xmp_thumbnails(payload)
    return payload


def _encode_pixels(raster: Raster) -> bytes:
    if raster.is_deep:
        from imagecodecs import png_encode

        # A copy: a view of one row or column may have strides that imagecodecs refuses.
        return bytes(png_encode(raster.samples.copy(order="C"), level=_LEVEL))
    buffer = io.BytesIO()
    pil_from_raster(raster).save(buffer, "PNG", compress_level=_LEVEL)
    return buffer.getvalue()


def _bit_depth(data: bytes) -> int:
    return data[24]


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Kind and payload of each chunk.

    Raises:
        ValueError: if the file ends before its IEND, or a checksum is wrong.
    """
    at = len(_SIGNATURE)
    kind = b""
    while kind != b"IEND":
        length = int.from_bytes(data[at : at + 4], "big")
        kind = data[at + 4 : at + 8]
        payload = data[at + 8 : at + 8 + length]
        checksum = data[at + 8 + length : at + 12 + length]
        if len(checksum) < 4:
            raise ValueError("the file ends too early")
        if int.from_bytes(checksum, "big") != zlib.crc32(payload, zlib.crc32(kind)):
            raise ValueError("a checksum is wrong")
        yield kind, payload
        at += 12 + length


def _assemble(
    encoded: bytes, before: Iterable[tuple[bytes, bytes]], behind: Iterable[tuple[bytes, bytes]]
) -> bytes:
    """Put chunks into an encoded file: `before` right after the header, `behind` at the end.

    bKGD and its like must follow the palette, so the encoder's palette goes first where it has one.
    """
    own = [chunk for chunk in _chunks(encoded) if chunk[0] in _NEEDED]
    header = [chunk for chunk in own if chunk[0] == b"IHDR"]
    pixels = [chunk for chunk in own if chunk[0] in (b"PLTE", b"tRNS", b"IDAT")]
    palette_first = [chunk for chunk in before if chunk[0] not in (b"bKGD", b"hIST")]
    after_palette = [chunk for chunk in before if chunk[0] in (b"bKGD", b"hIST")]
    palette = [chunk for chunk in pixels if chunk[0] != b"IDAT"]
    data = [chunk for chunk in pixels if chunk[0] == b"IDAT"]
    order = [*header, *palette_first, *palette, *after_palette, *data, *behind, (b"IEND", b"")]
    return _joined(order)


def _joined(chunks: Iterable[tuple[bytes, bytes]]) -> bytes:
    parts = [_SIGNATURE]
    for kind, payload in chunks:
        checksum = zlib.crc32(payload, zlib.crc32(kind))
        parts += [struct.pack(">I", len(payload)), kind, payload, struct.pack(">I", checksum)]
    return b"".join(parts)


_ANIMATION = (b"acTL", b"fcTL", b"fdAT")
_NEEDED = (b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND")
