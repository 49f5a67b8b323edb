"""GIF: known pixels stay; each picture of an animation keeps its delay, and all that lies between.

Pillow decodes and compresses; the file round the pictures is written by hand, as Pillow would
leave out pictures that are alike.

Source: GIF89a specification (CompuServe, 1990), sections 17 to 26.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import GifImagePlugin, Image

from regionwise.arrays import Mask, Pixels
from regionwise.photos.containers.placed_fill import PlacedFill, check_size
from regionwise.photos.metadata import Metadata
from regionwise.photos.raster import (
    Raster,
    UnsupportedPixelsError,
    pil_from_raster,
    raster_from_pil,
)

_TOO_MANY = "has more than 256 colours in one picture, which GIF has no room for"
_EXTENSION, _PICTURE, _END, _CONTROL = 0x21, 0x2C, 0x3B, 0xF9


def decode(data: bytes, max_pixels: int) -> Raster:
    """Read a GIF of one picture."""
    image = GifImagePlugin.GifImageFile(io.BytesIO(data))
    check_size(*image.size, max_pixels)
    if image.n_frames > 1:
        raise UnsupportedPixelsError(
            "is animated; give `page`, or save the one frame that you mean"
        )
    return raster_from_pil(image)


def encode(raster: Raster, metadata: Metadata) -> bytes:
    """Write a GIF of one picture; more than 256 colours become the 256 nearest."""
    buffer = io.BytesIO()
    pil_from_raster(raster).save(buffer, "GIF", optimize=False)
    return buffer.getvalue()


def encode_again(raster: Raster, original: bytes, fills: Sequence[PlacedFill]) -> bytes:
    """Write new pixels with what the original says beside them.

    A fill gets colours of its own as long as there is room beside the known ones, else the nearest.
    """
    hole = np.zeros(raster.samples.shape[:2], bool)
    for fill in fills:
        height, width = fill.hole.shape
        hole[fill.top : fill.top + height, fill.left : fill.left + width] |= fill.hole
    return encode_frames([_truecolor(raster)], original, [hole])


def _truecolor(raster: Raster) -> Raster:
    if raster.mode == "RGBA":
        return raster
    return raster_from_pil(pil_from_raster(raster).convert("RGBA"))


def count_frames(data: bytes) -> int:
    """How many pictures the file holds."""
    return sum(block[0] == _PICTURE for block in _blocks(data))


def decode_frames(data: bytes, max_pixels: int) -> Iterator[Raster]:
    """The pictures as they are shown, RGBA."""
    image = GifImagePlugin.GifImageFile(io.BytesIO(data))
    check_size(image.width, image.height * image.n_frames, max_pixels)
    for number in range(image.n_frames):
        image.seek(number)
        yield Raster("RGBA", np.asarray(image.convert("RGBA")))


def encode_frames(rasters: Sequence[Raster], original: bytes, holes: Sequence[Mask]) -> bytes:
    """Write pictures in place of the original's.

    Args:
        rasters: RGBA, of the size of the canvas.
        original: the file with as many pictures.
        holes: where each raster's pixels are new.
    """
    clear = any((raster.samples[..., 3] < 128).any() for raster in rasters)
    height, width = rasters[0].samples.shape[:2]
    parts = [b"GIF89a", struct.pack("<HHBBB", width, height, 0x70, 0, original[12])]
    control = b"\0\0\0\0"
    number = 0
    before: Pixels | None = None
    for block in _blocks(original):
        if block[0] == _EXTENSION and block[1] == _CONTROL:
            control = block[3:7]
        elif block[0] == _EXTENSION:
            parts.append(block)
        else:
            samples = rasters[number].samples
            picture = _indexed(samples, holes[number], None if clear else before)
            parts.append(_picture(picture, control, disposal=2 if clear else 1))
            before, control, number = samples, b"\0\0\0\0", number + 1
    return b"".join([*parts, bytes([_END])])


def _blocks(data: bytes) -> Iterator[bytes]:
    """The file's blocks behind its header and palette: extensions and pictures.

    Raises:
        ValueError: if the file ends inside one.
    """
    flags = data[10]
    at = 13 + (3 << (flags & 7) + 1 if flags & 0x80 else 0)
    while at < len(data) and data[at] != _END:
        begin = at
        if data[at] == _EXTENSION:
            at += 2
        elif data[at] == _PICTURE:
            local = data[at + 9]
            at += 11 + (3 << (local & 7) + 1 if local & 0x80 else 0)
        else:
            raise ValueError("it has blocks of no known kind")
        while data[at]:
            at += 1 + data[at]
        at += 1
        yield data[begin:at]


@dataclass(frozen=True, eq=False)
class _Indexed:
    index: npt.NDArray[np.uint8]
    palette: npt.NDArray[np.uint8]  # N×3
    transparent: int | None


def _indexed(samples: Pixels, hole: Mask, before: Pixels | None) -> _Indexed:
    """A picture of at most 256 colours, the known ones exact.

    Args:
        samples: height×width×4.
        hole: whose colours may give way.
        before: the picture before, which shows through where nothing changes; None if it is gone.

    Raises:
        UnsupportedPixelsError: if the known pixels have too many colours.
    """
    see_through = samples[..., 3] < 128
    keys = samples[..., :3].astype(np.uint32) @ np.array([1 << 16, 1 << 8, 1], np.uint32)
    known = np.unique(keys[~hole & ~see_through])
    if len(known) + bool(see_through.any()) > 256 and before is not None:
        see_through = (samples == before).all(axis=2)
        known = np.unique(keys[~hole & ~see_through])
    room = 256 - len(known) - bool(see_through.any())
    if room < 0:
        raise UnsupportedPixelsError(_TOO_MANY)
    new = np.setdiff1d(keys[hole & ~see_through], known)
    if len(new) > room:
        keys = _nearest(keys, samples, hole & ~see_through, known, room)
        new = np.setdiff1d(keys[hole & ~see_through], known)
    colors = np.concatenate([known, new])
    order = np.argsort(colors, kind="stable")
    index = order[np.searchsorted(colors[order], keys).clip(max=max(len(colors) - 1, 0))]
    palette = np.stack([colors >> 16, colors >> 8 & 255, colors & 255], axis=1).astype(np.uint8)
    transparent = len(colors) if see_through.any() else None
    if transparent is not None:
        index = np.where(see_through, transparent, index)
        palette = np.concatenate([palette, np.zeros((1, 3), np.uint8)])
    return _Indexed(index.astype(np.uint8), palette, transparent)


def _nearest(
    keys: npt.NDArray[np.uint32],
    samples: Pixels,
    hole: Mask,
    known: npt.NDArray[np.uint32],
    room: int,
) -> npt.NDArray[np.uint32]:
    """The hole's colours as the nearest of the known and of as many new ones as there is room."""
    colors = samples[..., :3][hole]
    wanted = Image.fromarray(np.ascontiguousarray(colors[None]))
    few = np.zeros((0,), np.uint32)
    if room:
        palette = wanted.quantize(room, Image.Quantize.MEDIANCUT).getpalette() or []
        made = np.array(palette, np.uint32).reshape(-1, 3)[:room]
        few = made @ np.array([1 << 16, 1 << 8, 1], np.uint32)
    offered = np.unique(np.concatenate([known, few.astype(np.uint32)]))
    rgb = np.stack([offered >> 16, offered >> 8 & 255, offered & 255], axis=1).astype(np.uint8)
    book = Image.new("P", (1, 1))
    book.putpalette(np.resize(rgb, (256, 3)).tobytes())
    found = np.asarray(wanted.quantize(palette=book, dither=Image.Dither.NONE))[0]
    result = keys.copy()
    result[hole] = np.resize(offered, 256)[found]
    return result


def _picture(picture: _Indexed, control: bytes, *, disposal: int) -> bytes:
    """A picture with its control block and its own palette."""
    height, width = picture.index.shape
    bits = max(int(len(picture.palette) - 1).bit_length(), 1)
    table = np.zeros((1 << bits, 3), np.uint8)
    table[: len(picture.palette)] = picture.palette
    image = Image.fromarray(np.ascontiguousarray(picture.index)).convert("L")
    encoded = io.BytesIO()
    image.save(encoded, "GIF", optimize=False, interlace=False)
    block = next(one for one in _blocks(encoded.getvalue()) if one[0] == _PICTURE)
    local = block[9]
    data = block[10 + (3 << (local & 7) + 1 if local & 0x80 else 0) :]
    flags = (disposal << 2) | (picture.transparent is not None)
    head = struct.pack("<BBBB2sBB", _EXTENSION, _CONTROL, 4, flags, control[1:3],
                       picture.transparent or 0, 0)  # fmt: skip
    descriptor = struct.pack("<BHHHHB", _PICTURE, 0, 0, width, height, 0x80 | bits - 1)
    return head + descriptor + table.tobytes() + data
