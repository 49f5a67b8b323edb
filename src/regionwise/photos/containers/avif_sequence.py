"""When the pictures of an AVIF sequence are shown: read from one file, written into another.

Source: ISO/IEC 14496-12, sections 8.2.2 (mvhd), 8.3.2 (tkhd), 8.4.2 (mdhd), 8.6.1.2 (stts), 8.6.6
(elst) and 8.7.5 (stco).
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from regionwise.photos.containers.boxes import box, boxes
from regionwise.photos.containers.heif_items import NewItem, moved_items, track_meta

_PARENTS = (b"moov", b"trak", b"mdia", b"minf", b"stbl", b"edts")


@dataclass(frozen=True)
class Timing:
    """How long the pictures are shown.

    Attributes:
        scale: units of time in a second.
        durations: of the pictures, in these units.
        forever: whether the sequence begins again at its end, without end.
    """

    scale: int
    durations: tuple[int, ...]
    forever: bool


def read_timing(data: bytes) -> Timing:
    """The timing of a sequence.

    Raises:
        ValueError, KeyError, struct.error: if the file has none.
    """
    found = _leaves(data)
    media = found[b"mdhd"]
    scale = struct.unpack_from(">I", media, 20 if media[0] else 12)[0]
    times = found[b"stts"]
    durations: list[int] = []
    for number in range(struct.unpack_from(">I", times, 4)[0]):
        count, each = struct.unpack_from(">II", times, 8 + 8 * number)
        if len(durations) + count > 1 << 16:
            raise ValueError("it has too many pictures")
        durations += [each] * count
    return Timing(scale, tuple(durations), bool(found.get(b"elst", bytes(4))[3] & 1))


def with_timing(data: bytes, timing: Timing) -> bytes:
    """A sequence that an encoder wrote, with another timing.

    Args:
        data: versions 1 of mvhd, tkhd, mdhd and elst, as libavif writes them, before the samples.
        timing: with a duration for each picture.
    """
    total = sum(timing.durations)
    endless = (1 << 64) - 1
    shown = endless if timing.forever else total
    entries = b"".join(struct.pack(">II", 1, each) for each in timing.durations)
    said = {
        b"mvhd": lambda old: old[:20] + struct.pack(">IQ", timing.scale, shown) + old[32:],
        b"tkhd": lambda old: old[:28] + struct.pack(">Q", shown) + old[36:],
        b"mdhd": lambda old: old[:20] + struct.pack(">IQ", timing.scale, total) + old[32:],
        b"elst": lambda old: (
            old[:3] + bytes([timing.forever]) + old[4:8] + struct.pack(">Q", total) + old[16:]
        ),
        b"stts": lambda old: old[:4] + struct.pack(">I", len(timing.durations)) + entries,
    }
    timed = _changed(data, said)
    return samples_followed(moved_items(timed, len(timed) - len(data)), data)


def with_track_metadata(data: bytes, items: Sequence[NewItem], profile: bytes) -> bytes:
    """A sequence whose first track says of its metadata, too; readers of sequences look there.

    Args:
        data: the file, to which `with_items` has added the items.
        items: what it added.
        profile: an ICC profile, or nothing.
    """
    color = box(b"colr", b"prof" + profile) if profile else b""
    shift = len(color) + (len(track_meta(data, items, 0)) if items else 0)
    meta = track_meta(data, items, shift) if items else b""
    new = data
    if meta:
        new = _changed(new, {b"trak": _once(lambda old: old + meta)})
    if color:
        # A header of 8 bytes, then one sample entry, which boxes follow.
        entry = _once(lambda old: old[:8] + box(old[12:16], old[16:] + color))
        new = _changed(new, {b"stsd": entry})
    return samples_followed(moved_items(new, shift), data)


def _once(change: Callable[[bytes], bytes]) -> Callable[[bytes], bytes]:
    """Of several boxes of a kind only the first is changed."""
    seen: list[bytes] = []

    def changed(old: bytes) -> bytes:
        seen.append(old)
        return change(old) if len(seen) == 1 else old

    return changed


def samples_followed(data: bytes, before: bytes) -> bytes:
    """A sequence that says where its samples now lie.

    Args:
        data: the file, grown before its samples.
        before: as it was when it said the right thing.
    """
    by = _samples_begin(data) - _samples_begin(before)

    def moved(old: bytes) -> bytes:
        places = struct.unpack(f">{len(old) // 4 - 2}I", old[8:])
        return old[:8] + struct.pack(f">{len(places)}I", *(place + by for place in places))

    return _changed(data, {b"stco": moved})


def _samples_begin(data: bytes) -> int:
    return next(one.start for one in boxes(data) if one.kind == b"mdat")


def _leaves(data: bytes) -> dict[bytes, bytes]:
    """The boxes in the parents that are looked into, by kind; the first of each."""
    found: dict[bytes, bytes] = {}
    for one in boxes(data):
        inner = _leaves(one.payload) if one.kind in _PARENTS else {one.kind: one.payload}
        for kind, payload in inner.items():
            found.setdefault(kind, payload)
    return found


def _changed(data: bytes, changes: Mapping[bytes, Callable[[bytes], bytes]]) -> bytes:
    """The boxes with others for what these kinds hold, in all tracks."""
    parts = []
    for one in boxes(data):
        payload = _changed(one.payload, changes) if one.kind in _PARENTS else one.payload
        if one.kind in changes:
            payload = changes[one.kind](payload)
        parts.append(box(one.kind, payload))
    return b"".join(parts)
