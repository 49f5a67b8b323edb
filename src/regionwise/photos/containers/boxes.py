"""The boxes of ISO base media files (AVIF, HEIC, JPEG 2000, JPEG XL).

Source: ISO/IEC 14496-12, section 4.2; ISO/IEC 15444-1, annex I.4.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class IsoBox:
    """A box: what kind it is, what it holds, and where that begins in its parent."""

    kind: bytes
    payload: bytes
    start: int = 0

    @property
    def data(self) -> bytes:
        """The box as bytes."""
        return box(self.kind, self.payload)


def boxes(data: bytes, at: int = 0) -> Iterator[IsoBox]:
    """The boxes that follow one another from `at` on.

    Raises:
        ValueError: if one is longer than the data.
    """
    while at + 8 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, at)
        head = 8
        if length == 1 and at + 16 <= len(data):
            length, head = struct.unpack_from(">Q", data, at + 8)[0], 16
        elif length == 0:
            length = len(data) - at
        if length < head or at + length > len(data):
            raise ValueError("the file ends too early")
        yield IsoBox(kind, data[at + head : at + length], at + head)
        at += length


def box(kind: bytes, payload: bytes) -> bytes:
    """A box of that kind."""
    return struct.pack(">I4s", len(payload) + 8, kind) + payload


def full_box(kind: bytes, payload: bytes, version: int = 0, flags: int = 0) -> bytes:
    """A box that says its version and flags."""
    return box(kind, struct.pack(">I", version << 24 | flags) + payload)
