"""What a photo says beside its pixels, and what of that must go once something was removed.

A small copy of the picture rides along in many files (EXIF thumbnail, Photoshop's and XMP's
thumbnails): it would still show what was filled, so each writer drops it. All else is kept byte for
byte.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from regionwise.photos.tiff_directory import (
    ORIENTATION,
    STRIP_BYTE_COUNTS,
    STRIP_OFFSETS,
    THUMBNAIL_LENGTH,
    THUMBNAIL_OFFSET,
    DirectoryReader,
)
from regionwise.photos.xmp_promises import taken_back

_COLOR_SPACES = {"RGB": b"RGB ", "RGBA": b"RGB ", "P": b"RGB ", "CMYK": b"CMYK"}
_COLOR_SPACES |= {"1": b"GRAY", "L": b"GRAY", "LA": b"GRAY"}


@dataclass(frozen=True)
class Metadata:
    """What travels from one format to another.

    Attributes:
        exif: a TIFF structure, without JPEG's "Exif" header; empty if there is none.
        icc_profile: a colour profile; empty if there is none.
        xmp: a packet of XML; empty if there is none.
        dpi: dots per inch, across and down.
    """

    exif: bytes = b""
    icc_profile: bytes = b""
    xmp: bytes = b""
    dpi: tuple[float, float] | None = None

    def for_mode(self, mode: str) -> Metadata:
        """The same without a colour profile that belongs to another colour space than the mode's.

        A profile names its colour space in bytes 16 to 20 (ICC.1, section 7.2).
        """
        fits = self.icc_profile[16:20] == _COLOR_SPACES[mode]
        return self if fits else replace(self, icc_profile=b"")

    def upright(self) -> Metadata:
        """The same for pixels that were turned upright: each orientation says 1."""
        return replace(self, exif=_upright_exif(self.exif), xmp=_upright_xmp(self.xmp))


def metadata_from_info(info: Mapping[str, Any]) -> Metadata:
    """Gather what Pillow found, for another format; thumbnails stay behind."""
    exif = info.get("exif") or b""
    xmp = info.get("xmp") or info.get("XML:com.adobe.xmp") or b""
    dpi = info.get("dpi")
    return Metadata(
        exif=without_exif_thumbnail(exif.removeprefix(b"Exif\0\0")),
        icc_profile=info.get("icc_profile") or b"",
        xmp=without_xmp_thumbnails(xmp.encode() if isinstance(xmp, str) else xmp),
        dpi=(float(dpi[0]), float(dpi[1])) if dpi and all(dpi) else None,
    )


def without_exif_thumbnail(exif: bytes) -> bytes:
    """Cut the thumbnail's directory off an EXIF block and blank its pixels.

    All other bytes stay in their place, as makers' notes hold offsets that nobody else knows.
    A block that can't be read comes back as it is.
    """
    try:
        reader = DirectoryReader(exif)
        chain = reader.chain()
        if len(chain) < 2:
            return exif
        blank = bytearray(exif)
        kept = len(exif)
        for place in chain[1:]:
            thumbnail = reader.read(place)
            offsets = thumbnail.numbers(THUMBNAIL_OFFSET) + thumbnail.numbers(STRIP_OFFSETS)
            lengths = thumbnail.numbers(THUMBNAIL_LENGTH) + thumbnail.numbers(STRIP_BYTE_COUNTS)
            for begin, length in zip(offsets, lengths, strict=False):
                end = min(begin + length, len(blank))
                blank[begin:end] = bytes(max(0, end - begin))
                kept = begin if end == kept else kept
        struct.pack_into(reader.byte_order + "I", blank, reader.layout(chain[0])[2], 0)
    except (ValueError, struct.error):
        return exif
    return bytes(blank[:kept])


def _upright_exif(exif: bytes) -> bytes:
    """Set the orientation of an EXIF block to 1, in place."""
    try:
        reader = DirectoryReader(exif)
        count, begin, _ = reader.layout(reader.first)
        for at in range(begin, begin + 12 * count, 12):
            if struct.unpack_from(reader.byte_order + "H", exif, at)[0] == ORIENTATION:
                one = struct.pack(reader.byte_order + "HHIHH", ORIENTATION, 3, 1, 1, 0)
                return exif[:at] + one + exif[at + 12 :]
    except (ValueError, struct.error):
        pass
    return exif


def _upright_xmp(xmp: bytes) -> bytes:
    return re.sub(rb'(tiff:Orientation(?:="|>))[2-8]', rb"\g<1>1", xmp)


def without_xmp_thumbnails(xmp: bytes) -> bytes:
    """An XMP packet for a file that holds one picture alone.

    Cut out are `xmp:Thumbnails` (small JPEGs in base64), and what promises parts beside the picture
    (see `regionwise.photos.xmp_promises`); who keeps such a part puts its promise back.
    """
    xmp = re.sub(rb"<(\w+):Thumbnails\b.*?</\1:Thumbnails\s*>", b"", xmp, flags=re.DOTALL)
    return taken_back(xmp)


def without_photoshop_thumbnails(resources: bytes) -> bytes:
    """Cut the thumbnails (1033, 1036) out of Photoshop's image resources ("8BIM" blocks).

    Source: Adobe Photoshop File Formats Specification, "Image Resource Blocks".
    """
    kept = b""
    at = 0
    while resources[at : at + 4] == b"8BIM" and at + 12 <= len(resources):
        kind = int.from_bytes(resources[at + 4 : at + 6], "big")
        name = 1 + resources[at + 6]
        length_at = at + 6 + name + name % 2
        length = int.from_bytes(resources[length_at : length_at + 4], "big")
        end = length_at + 4 + length + length % 2
        if kind not in (1033, 1036):
            kept += resources[at:end]
        at = end
    return kept + resources[at:]
