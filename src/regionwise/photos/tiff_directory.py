"""TIFF's directories of tags, which EXIF uses too: read, filter and write them, values untouched.

Source: TIFF 6.0 section 2, BigTIFF, CIPA DC-008 (EXIF) section 4.6. Values are kept as raw bytes in
the byte order of the file, so that nothing is lost by understanding it only in part.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import Literal

TYPE_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4}
TYPE_SIZES |= {16: 8, 17: 8, 18: 8}  # BigTIFF

NEW_SUBFILE_TYPE, ORIENTATION, STRIP_OFFSETS, STRIP_BYTE_COUNTS = 254, 274, 273, 279
TILE_OFFSETS, TILE_BYTE_COUNTS = 324, 325
XMP, PHOTOSHOP, ICC_PROFILE = 700, 34377, 34675
THUMBNAIL_OFFSET, THUMBNAIL_LENGTH = 513, 514
# Tags whose value is the place of another directory: EXIF, GPS and (inside EXIF) interoperability.
DIRECTORY_TAGS = (34665, 34853, 40965)
_LONG = 4


@dataclass
class Directory:
    """One directory: tag → (type, count, raw value), and the directories that hang below it."""

    byte_order: Literal["<", ">"]  # as for struct
    entries: dict[int, tuple[int, int, bytes]] = field(default_factory=dict)
    children: dict[int, Directory] = field(default_factory=dict)

    def numbers(self, tag: int) -> list[int]:
        """The whole numbers under a tag of type BYTE, SHORT, LONG, IFD or LONG8, else none."""
        kind, count, raw = self.entries.get(tag, (0, 0, b""))
        letter = {1: "B", 3: "H", 4: "I", 13: "I", 16: "Q"}.get(kind)
        return list(struct.unpack(f"{self.byte_order}{count}{letter}", raw)) if letter else []


class DirectoryReader:
    """Reads directories out of a TIFF file or an EXIF block.

    Raises:
        ValueError: if the bytes don't begin as a TIFF does.
    """

    def __init__(self, data: bytes) -> None:
        self.data = data
        if data[:2] not in (b"II", b"MM") or len(data) < 8:
            raise ValueError("not a TIFF structure")
        self.byte_order: Literal["<", ">"] = "<" if data[:2] == b"II" else ">"
        self.big = self._number("H", 2) == 43
        self.first = self._number("Q", 8) if self.big else self._number("I", 4)

    def _number(self, letter: str, offset: int) -> int:
        try:
            return int(struct.unpack_from(self.byte_order + letter, self.data, offset)[0])
        except struct.error as error:
            raise ValueError("a TIFF directory points outside the file") from error

    def layout(self, offset: int) -> tuple[int, int, int]:
        """Of the directory at `offset`: how many entries, where they begin, where its link lies."""
        count = self._number("Q" if self.big else "H", offset)
        begin = offset + (8 if self.big else 2)
        return count, begin, begin + count * (20 if self.big else 12)

    def link(self, offset: int) -> int:
        """Where the directory after the one at `offset` lies; 0 if there is none."""
        return self._number("Q" if self.big else "I", self.layout(offset)[2])

    def chain(self) -> list[int]:
        """Where the directories of the main chain lie; a loop ends it."""
        places: list[int] = []
        place = self.first
        while place and place not in places:
            places.append(place)
            place = self.link(place)
        return places

    def read(self, offset: int, depth: int = 0) -> Directory:
        """Read one directory and those that its EXIF, GPS and interoperability tags point to."""
        directory = Directory(self.byte_order)
        count, begin, _ = self.layout(offset)
        width, head = (8, 12) if self.big else (4, 8)
        for index in range(count):
            at = begin + index * (width + head)
            tag, kind = self._number("H", at), self._number("H", at + 2)
            number = self._number("Q" if self.big else "I", at + 4)
            length = TYPE_SIZES.get(kind, 0) * number
            value = at + head
            if length > width:
                value = self._number("Q" if self.big else "I", value)
            if not length or value + length > len(self.data):
                continue  # an unknown type or a broken entry: readers skip those too
            if tag in DIRECTORY_TAGS and depth < 2:
                place = self._number("Q" if length == 8 else "I", value)
                directory.children[tag] = self.read(place, depth + 1)
            else:
                directory.entries[tag] = (kind, number, self.data[value : value + length])
        return directory


def serialize(directory: Directory, at: int) -> bytes:
    """Lay out a directory and its children for place `at` (even) of a classic TIFF.

    The directory itself comes first, then long values and children. Its link to a next one is 0.
    """
    order = directory.byte_order
    tags = sorted({*directory.entries, *directory.children})
    table = struct.pack(order + "H", len(tags))
    tail = b""
    behind = at + 2 + 12 * len(tags) + 4
    for tag in tags:
        if tag in directory.children:
            kind, count = _LONG, 1
            raw = struct.pack(order + "I", behind + len(tail))
            tail += serialize(directory.children[tag], behind + len(tail))
        else:
            kind, count, raw = directory.entries[tag]
            if len(raw) > 4:
                place = struct.pack(order + "I", behind + len(tail))
                tail += raw + bytes(len(raw) % 2)
                raw = place
        table += struct.pack(order + "HHI", tag, kind, count) + raw.ljust(4, b"\0")
    return table + bytes(4) + tail


def block(directory: Directory) -> bytes:
    """A directory as an EXIF block: TIFF header and directory, nothing else."""
    magic = b"II" if directory.byte_order == "<" else b"MM"
    return magic + struct.pack(directory.byte_order + "HI", 42, 8) + serialize(directory, 8)
