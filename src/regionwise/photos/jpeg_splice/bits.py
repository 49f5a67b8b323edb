"""Strings of bits: cut out, put together, and with JPEG's stuffing. Source: ITU-T T.81, F.1.2.3."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from regionwise.arrays import Bytes, Numbers


@dataclass(frozen=True, eq=False)
class Bits:
    """The bits from `begin` to `end` of some bytes, the most significant of a byte first."""

    source: Bytes
    begin: int
    end: int


def unstuffed(data: Bytes) -> Bytes:
    """Take out the zero after each 0xFF."""
    stuffing = np.flatnonzero(data[:-1] == 0xFF) + 1
    return data if not len(stuffing) else np.delete(data, stuffing)


def stuffed(data: Bytes) -> Bytes:
    """Put a zero after each 0xFF."""
    full = np.flatnonzero(data == 0xFF)
    return data if not len(full) else np.insert(data, full + 1, 0)


def joined(parts: Sequence[Bits]) -> Bytes:
    """Put strings of bits together; the last byte is filled up with ones."""
    total = sum(part.end - part.begin for part in parts)
    out = np.zeros(-(-total // 8) + 1, np.uint8)
    at = 0
    for part in parts:
        if part.end > part.begin:
            piece = _aligned(part, at % 8)
            out[at // 8 : at // 8 + len(piece)] |= piece
            at += part.end - part.begin
    out = out[: -(-total // 8)]
    if total % 8:
        out[-1] |= 0xFF >> (total % 8)
    return out


def _aligned(part: Bits, phase: int) -> Bytes:
    """The bits as bytes that begin at bit `phase` of the first one, with zeros round them."""
    count = -(-(phase + part.end - part.begin) // 8)
    shift = phase - part.begin % 8
    source = part.source[part.begin // 8 : -(-part.end // 8)]
    piece = np.zeros(count, np.uint8)
    if shift >= 0:
        used = min(len(source), count)
        piece[:used] = source[:used] >> shift
        if shift:
            piece[1:] |= source[: count - 1] << (8 - shift)
    else:
        piece[:] = source[:count] << -shift
        rest = source[1 : count + 1] >> (8 + shift)
        piece[: len(rest)] |= rest
    piece[0] &= 0xFF >> phase
    over = (phase + part.end - part.begin) % 8
    if over:
        piece[-1] &= 0xFF << (8 - over) & 0xFF
    return piece


def packed(codes: Numbers, lengths: Numbers) -> Bits:
    """Write codes of up to 32 bits one after the other.

    Each falls into one or two words of 32 bits. No two share a bit, so their sum is their union,
    and float64 holds it exactly.
    """
    ends = np.cumsum(lengths)
    total = int(ends[-1]) if len(ends) else 0
    begins = ends - lengths
    word, place = begins >> 5, begins & 31
    wide = codes.astype(np.uint64) << (64 - lengths - place).astype(np.uint64)
    wide = np.where(lengths > 0, wide, 0)
    size = (total >> 5) + 2
    high = np.bincount(word, (wide >> np.uint64(32)).astype(np.float64), size)
    low = np.bincount(word + 1, (wide & np.uint64(0xFFFFFFFF)).astype(np.float64), size)
    return Bits((high + low).astype(">u4").view(np.uint8), 0, total)


def windows(data: Bytes) -> Numbers:
    """For each byte, and 64 behind the end, the 32 bits from it on; ones follow the end."""
    count = len(data) + 64
    count += -count % 4
    long = np.full(count + 4, 0xFF, np.uint8)
    long[: len(data)] = data
    out = np.empty(count, np.int64)
    for phase in range(4):
        out[phase::4] = long[phase : phase + count].view(">u4")
    return out
