"""TIFF: pixels by tifffile, tags grafted from the original's directory with their bytes untouched.

Source: TIFF 6.0; Adobe's TIFF technical notes for tags 34377 and 37724.
"""

from __future__ import annotations

import io
import json
import logging
import struct
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, Literal

import numpy as np

from regionwise.arrays import Mask, Pixels
from regionwise.photos.containers.placed_fill import PlacedFill, check_size
from regionwise.photos.metadata import (
    Metadata,
    without_photoshop_thumbnails,
    without_xmp_thumbnails,
)
from regionwise.photos.orientation import known_orientation
from regionwise.photos.raster import RAW, Raster, UnsupportedPixelsError
from regionwise.photos.tiff_directory import (
    ICC_PROFILE,
    NEW_SUBFILE_TYPE,
    ORIENTATION,
    PHOTOSHOP,
    STRIP_BYTE_COUNTS,
    STRIP_OFFSETS,
    TILE_BYTE_COUNTS,
    TILE_OFFSETS,
    XMP,
    Directory,
    DirectoryReader,
    block,
    serialize,
)

# Tags that say how pixels lie in the file: the writer's own are taken. 330 leads to other pictures,
# 37724 holds Photoshop's layers, which would still show what was filled.
_STRUCTURE = {254, 255, 256, 257, 258, 259, 262, 263, 264, 265, 266, 273, 277, 278, 279, 284, 290}
_STRUCTURE |= {291, 292, 293, 317, 320, 322, 323, 324, 325, 330, 332, 334, 336, 338, 339, 340, 341}
_STRUCTURE |= {347, 512, 513, 514, 515, 517, 518, 519, 520, 521, 529, 530, 531, 532, 37724}
_RESOLUTION = {282, 283, 296}
# Compressions that lose nothing and that tifffile writes; any other becomes deflate (8).
_KEPT_COMPRESSIONS = {1, 5, 8, 32773, 34925, 50000}
_EXTRA_SAMPLES = {0: "unspecified", 1: "assocalpha", 2: "unassalpha"}
_WITH_PREDICTOR = {5, 8, 34925, 50000}
_PHOTOMETRIC = {"1": "minisblack", "L": "minisblack", "LA": "minisblack", "P": "palette"}
_PHOTOMETRIC |= {"RGB": "rgb", "RGBA": "rgb", "CMYK": "separated"}
# It logs each broken tag; without a handler these lines would reach the user.
logging.getLogger("tifffile").addHandler(logging.NullHandler())
_DNG_VERSION, _DESCRIPTION = 50706, 270
_WHITE_IS_ZERO, _PALETTE, _SEPARATED = 0, 3, 5


def decode(data: bytes, max_pixels: int) -> Raster:
    """Read the picture of a TIFF file, in the orientation of the file.

    Smaller copies of the same picture beside it (thumbnails) are passed over.
    """
    directories = _directories(data)
    main = _pages(directories)
    if len(main) != 1:
        raise UnsupportedPixelsError(
            f"has {len(main)} pages; give `page`, or save the one that you mean"
        )
    return _decode_page(data, directories, main[0], max_pixels)


def _directories(data: bytes) -> list[Directory]:
    reader = DirectoryReader(data)
    return [reader.read(place) for place in reader.chain()]


def _pages(directories: Sequence[Directory]) -> list[int]:
    """The numbers of the directories that are pages and not thumbnails.

    Raises:
        UnsupportedPixelsError: if it is a camera's raw file.
    """
    main = [number for number, found in enumerate(directories) if not _is_thumbnail(found)]
    if not main or _DNG_VERSION in directories[0].entries:  # raw files begin with a preview
        raise UnsupportedPixelsError(RAW)
    return main


def _decode_page(
    data: bytes, directories: Sequence[Directory], number: int, max_pixels: int
) -> Raster:
    import tifffile

    directory = directories[number]
    _check_whole(directory, len(data))
    with tifffile.TiffFile(io.BytesIO(data)) as file:
        page = file.pages[number]
        if not isinstance(page, tifffile.TiffPage):  # a frame, which lacks what page 1 says
            page = page.aspage()
        check_size(page.imagewidth, page.imagelength, max_pixels)
        _check_kind(page)
        samples = page.asarray()
        if samples.ndim == 3 and page.planarconfig == 2 and page.samplesperpixel > 1:
            samples = np.moveaxis(samples, 0, -1)
        if samples.shape[:2] != (page.imagelength, page.imagewidth) or not samples.size:
            raise ValueError("its tags contradict each other")
        raster = _raster(page, samples)
    orientation = known_orientation(next(iter(directory.numbers(ORIENTATION)), 1))
    return replace(raster, info=_info(directory), orientation=orientation)


def count_frames(data: bytes) -> int:
    """How many pages the file has."""
    return len(_pages(_directories(data)))


def decode_frames(data: bytes, max_pixels: int) -> Iterator[Raster]:
    """The pages, in their order."""
    directories = _directories(data)
    left = max_pixels
    for number in _pages(directories):
        raster = _decode_page(data, directories, number, left)
        left -= raster.samples.shape[0] * raster.samples.shape[1]
        yield raster


def encode_frames(rasters: Sequence[Raster], original: bytes, holes: Sequence[Mask]) -> bytes:
    """Write pages with the tags of the original's."""
    directories = _directories(original)
    pages = _pages(directories)
    magic = b"II*\0" if directories[0].byte_order == "<" else b"MM\0*"
    new = bytearray(magic + bytes(4))
    link = 4  # where the place of the next directory is to be written
    for raster, number in zip(rasters, pages, strict=True):
        encoded = _encode_as(raster, directories[number])
        link = _append(new, link, encoded, _said(directories[number]))
    return bytes(new)


def _append(new: bytearray, link: int, encoded: bytes, said: Directory) -> int:
    """Put an encoded file behind others as a page; gives where the next one's place goes."""
    reader = DirectoryReader(encoded)
    own = reader.read(reader.first)
    begin = len(new)
    new += encoded + bytes(len(encoded) % 2)
    kept = {tag: found for tag, found in own.entries.items() if tag in _STRUCTURE}
    offsets = [place + begin for place in own.numbers(STRIP_OFFSETS)]
    raw = struct.pack(f"{own.byte_order}{len(offsets)}I", *offsets)
    kept[STRIP_OFFSETS] = (4, len(offsets), raw)
    at = len(new)
    merged = Directory(own.byte_order, kept | said.entries, said.children)
    new += serialize(merged, at)
    new += bytes(len(new) % 2)
    struct.pack_into(own.byte_order + "I", new, link, at)
    return at + 2 + 12 * len({*merged.entries, *merged.children})


def _is_thumbnail(directory: Directory) -> bool:
    return bool(next(iter(directory.numbers(NEW_SUBFILE_TYPE)), 0) & 1)


def _check_whole(directory: Directory, size: int) -> None:
    """Refuse a truncated file, which tifffile would fill with zeros."""
    offsets = directory.numbers(STRIP_OFFSETS) + directory.numbers(TILE_OFFSETS)
    lengths = directory.numbers(STRIP_BYTE_COUNTS) + directory.numbers(TILE_BYTE_COUNTS)
    ends = (begin + length for begin, length in zip(offsets, lengths, strict=False))
    if not offsets or max(ends, default=0) > size:
        raise ValueError("the file ends too early")


def _check_kind(page: Any) -> None:
    if (
        page.dtype is None
        or page.dtype.kind not in "ub"
        or page.bitspersample not in (1, 2, 4, 8, 16)
    ):
        kind = page.dtype if page.dtype is not None else f"{page.bitspersample} bits"
        raise UnsupportedPixelsError(
            f"has samples of {kind}; regionwise takes 8 or 16 bits without a sign"
        )
    if page.imagedepth != 1:
        raise UnsupportedPixelsError("is a volume; save one slice as a file")
    if page.photometric not in (0, 1, 2, _PALETTE, _SEPARATED, 6):
        raise UnsupportedPixelsError(
            f"has colours of kind {getattr(page.photometric, 'name', page.photometric)}; "
            "convert it to RGB first"
        )


def _raster(page: Any, samples: Pixels) -> Raster:
    """Give samples their mode: whole range, black is zero, palette of 8 bits."""
    if page.photometric == _PALETTE:
        palette = np.full((256, 4), 255, np.uint8)
        palette[:, :3] = 0
        colors = (np.asarray(page.colormap).T >> 8)[:256]
        palette[: len(colors), :3] = colors
        return Raster("P", samples.astype(np.uint8), palette)
    if page.bitspersample in (2, 4):
        samples = samples * np.uint8(255 // (2**page.bitspersample - 1))
    if page.photometric == _WHITE_IS_ZERO:
        samples = ~samples
    channels = samples.shape[2] if samples.ndim == 3 else 0
    if channels and samples.dtype == bool:
        raise UnsupportedPixelsError("has several channels of 1 bit; convert it to 8 bits first")
    if page.photometric == _SEPARATED:
        modes = {4: "CMYK"} if samples.dtype == np.uint8 else {}
    else:
        modes = {0: "1" if samples.dtype == bool else "L", 2: "LA", 3: "RGB", 4: "RGBA"}
    if channels not in modes:
        raise UnsupportedPixelsError(
            f"has {channels or 1} channels of {samples.dtype}, kind "
            f"{getattr(page.photometric, 'name', page.photometric)}; convert it to RGB first"
        )
    return Raster(modes[channels], samples)


def _info(directory: Directory) -> dict[str, Any]:
    """The same keys that Pillow gives for other formats."""
    info: dict[str, Any] = {}
    for tag, key in ((ICC_PROFILE, "icc_profile"), (XMP, "xmp")):
        if tag in directory.entries:
            info[key] = directory.entries[tag][2]
    dots = [_ratio(directory, tag) for tag in (282, 283)]
    unit = next(iter(directory.numbers(296)), 2)
    if all(dots) and unit in (2, 3):
        info["dpi"] = tuple(number * (2.54 if unit == 3 else 1) for number in dots)
    said = _said(directory)
    said.entries = {tag: found for tag, found in said.entries.items() if tag not in (700, 34675)}
    info["exif"] = block(said)
    return info


def _ratio(directory: Directory, tag: int) -> float:
    kind, _, raw = directory.entries.get(tag, (0, 0, b""))
    if kind != 5:
        return 0.0
    above, below = struct.unpack(directory.byte_order + "II", raw[:8])
    return float(above / below) if below else 0.0


def _said(directory: Directory) -> Directory:
    """What a directory says besides how pixels lie, thumbnails left out."""
    entries = {}
    for tag, (kind, count, raw) in directory.entries.items():
        if tag in _STRUCTURE:
            continue
        if tag == PHOTOSHOP:
            raw = without_photoshop_thumbnails(raw)
        elif tag == XMP:
            raw = without_xmp_thumbnails(raw)
        elif tag == _DESCRIPTION:
            raw = _without_shape(raw)
        if raw:
            changed = tag in (PHOTOSHOP, XMP, _DESCRIPTION)
            entries[tag] = (kind, len(raw) if changed else count, raw)
    return Directory(directory.byte_order, entries, directory.children)


def _without_shape(description: bytes) -> bytes:
    """A description without tifffile's note on how the samples lie, which are written otherwise."""
    text = description.rstrip(b"\0")
    if not text.startswith(b'{"shape"'):
        return description
    try:
        said = json.loads(text)
    except ValueError:
        return description
    rest = {name: value for name, value in said.items() if name not in ("shape", "axes")}
    return json.dumps(rest).encode() + b"\0" if rest else b""


def encode(raster: Raster, metadata: Metadata) -> bytes:
    """Write a TIFF, deflated. Any mode, 8 or 16 bits."""
    said = Directory("<")
    if metadata.exif:
        try:
            reader = DirectoryReader(metadata.exif)
            said = _said(reader.read(reader.first))
        except ValueError:
            pass  # a broken EXIF block holds nothing that could be carried over
    said.entries = {tag: found for tag, found in said.entries.items() if tag not in _RESOLUTION}
    if metadata.icc_profile:
        said.entries[ICC_PROFILE] = (7, len(metadata.icc_profile), metadata.icc_profile)
    if metadata.xmp:
        said.entries[XMP] = (1, len(metadata.xmp), metadata.xmp)
    for tag, dots in zip((282, 283), metadata.dpi or (), strict=False):
        ratio = struct.pack(said.byte_order + "II", round(dots * 1000), 1000)
        said.entries[tag] = (5, 1, ratio)
    return _graft(_encode_pixels(raster, said.byte_order, 8, predictor=True), said)


def encode_again(raster: Raster, original: bytes, fills: Sequence[PlacedFill]) -> bytes:
    """Write new pixels with the original's tags, byte order and, if it loses nothing, compression.

    What can't be kept: JPEG and fax compression become deflate, tiles become strips.
    """
    directories = _directories(original)
    directory = next(found for found in directories if not _is_thumbnail(found))
    return _graft(_encode_as(raster, directory), _said(directory))


def _encode_as(raster: Raster, directory: Directory) -> bytes:
    """Encode a raster as a directory's own picture was: byte order, compression, predictor."""
    compression = next(iter(directory.numbers(259)), 1)
    predictor = next(iter(directory.numbers(317)), 1) != 1
    extra = next(iter(directory.numbers(338)), 2)  # what a fourth sample is; 2: alpha
    return _encode_pixels(
        raster,
        directory.byte_order,
        compression if compression in _KEPT_COMPRESSIONS else 8,
        predictor=predictor,
        extra=extra if extra in _EXTRA_SAMPLES else 2,
    )


def _encode_pixels(
    raster: Raster,
    byte_order: Literal["<", ">"],
    compression: int,
    *,
    predictor: bool,
    extra: int = 2,
) -> bytes:
    import tifffile

    options: dict[str, Any] = {}
    if raster.mode in ("LA", "RGBA"):
        options["extrasamples"] = [_EXTRA_SAMPLES[extra]]
    if raster.palette is not None:
        options["colormap"] = raster.palette[:, :3].T.astype(np.uint16) * 257
    if predictor and compression in _WITH_PREDICTOR and raster.mode not in ("1", "P"):
        options["predictor"] = True
    buffer = io.BytesIO()
    tifffile.imwrite(
        buffer,
        np.ascontiguousarray(raster.samples),
        byteorder=byte_order,
        photometric=_PHOTOMETRIC[raster.mode],
        compression=None if compression == 1 else compression,
        planarconfig="contig" if raster.samples.ndim == 3 else None,
        metadata=None,
        software=False,
        **options,
    )
    return buffer.getvalue()


def _graft(encoded: bytes, said: Directory) -> bytes:
    """Give an encoded file a new directory: its own structure, and what `said` says."""
    reader = DirectoryReader(encoded)
    own = reader.read(reader.first)
    own_kept = {tag: found for tag, found in own.entries.items() if tag in _STRUCTURE}
    merged = Directory(reader.byte_order, own_kept | said.entries, said.children)
    at = len(encoded) + len(encoded) % 2
    new = bytearray(encoded.ljust(at, b"\0") + serialize(merged, at))
    struct.pack_into(reader.byte_order + "I", new, 4, at)
    return bytes(new)
