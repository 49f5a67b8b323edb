"""Add metadata and properties to a HEIF file of one picture (AVIF).

Source: ISO/IEC 14496-12, section 8.11; ISO/IEC 23008-12, section 9.3.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass

from regionwise.photos.containers.boxes import IsoBox, box, boxes, full_box


@dataclass(frozen=True)
class NewItem:
    """An item that describes the picture: its type, content type (for mime) and bytes."""

    kind: bytes
    content_type: bytes
    data: bytes


@dataclass(frozen=True)
class _Location:
    item: int
    extents: tuple[tuple[int, int], ...]


def with_items(
    data: bytes, items: Sequence[NewItem], properties: Sequence[tuple[bytes, bytes]]
) -> bytes:
    """The file with more items, and more properties of its main picture.

    Raises:
        ValueError: if it is no file of the simple kind that encoders write.
    """
    outer = list(boxes(data))
    meta = next(found for found in outer if found.kind == b"meta")
    old = _locations(_inside(meta, b"iloc"))
    before = b"".join(found.data for found in outer[: outer.index(meta)])
    behind = b"".join(found.data for found in outer[outer.index(meta) + 1 :])
    length = len(_meta(meta, old, [0] * len(items), items, properties))
    shift = len(before) + length - (meta.start + len(meta.payload))
    moved = [_shifted(one, shift) for one in old]
    place = len(before) + length + len(behind) + 8
    places = []
    for item in items:
        places.append(place)
        place += len(item.data)
    new = _meta(meta, moved, places, items, properties)
    tail = box(b"mdat", b"".join(item.data for item in items)) if items else b""
    return before + new + behind + tail


def moved_items(data: bytes, by: int) -> bytes:
    """The file, whose items lie so many bytes further on than it says, saying so.

    Raises:
        ValueError: if it does not say it as libavif does.
    """
    meta = next(found for found in boxes(data) if found.kind == b"meta")
    parts = []
    for found in boxes(meta.payload, 4):
        said = found.data
        if found.kind == b"iloc":
            said = _iloc([_shifted(one, by) for one in _locations(found.payload)])
            if len(said) != len(found.data):
                raise ValueError("it says in another way where its items lie")
        parts.append(said)
    end = meta.start + len(meta.payload)
    return data[: meta.start] + meta.payload[:4] + b"".join(parts) + data[end:]


def track_meta(data: bytes, items: Sequence[NewItem], shift: int) -> bytes:
    """What the track of a sequence says of items that `with_items` put into the file.

    Args:
        data: the file with the items.
        items: these.
        shift: how much further on they will lie.
    """
    meta = next(found for found in boxes(data) if found.kind == b"meta")
    known = _locations(_inside(meta, b"iloc"))[-len(items) :]
    handler = full_box(b"hdlr", bytes(4) + b"pict" + bytes(13))
    named = _iinf(bytes(6), items, known[0].item)
    return full_box(b"meta", handler + _iloc([_shifted(one, shift) for one in known]) + named)


def _inside(meta: IsoBox, kind: bytes) -> bytes:
    return next(found.payload for found in boxes(meta.payload, 4) if found.kind == kind)


def _locations(iloc: bytes) -> list[_Location]:
    """Where the items' bytes lie in the file."""
    version = iloc[0]
    sizes = iloc[4:6]
    offset_size, length_size, base_size = sizes[0] >> 4, sizes[0] & 15, sizes[1] >> 4
    index_size = sizes[1] & 15 if version else 0
    wide = 4 if version == 2 else 2
    at = 6

    def number(size: int) -> int:
        nonlocal at
        value = int.from_bytes(iloc[at : at + size], "big")
        at += size
        return value

    locations = []
    for _ in range(number(wide)):
        item = number(wide)
        if version and number(2) & 15:
            raise ValueError("an item lies outside the file's data")
        number(2)
        base = number(base_size)
        extents = []
        for _ in range(number(2)):
            number(index_size)
            begin = number(offset_size)
            extents.append((base + begin, number(length_size)))
        locations.append(_Location(item, tuple(extents)))
    return locations


def _shifted(one: _Location, by: int) -> _Location:
    return _Location(one.item, tuple((begin + by, size) for begin, size in one.extents))


def _meta(
    meta: IsoBox,
    old: Sequence[_Location],
    places: Sequence[int],
    items: Sequence[NewItem],
    properties: Sequence[tuple[bytes, bytes]],
) -> bytes:
    pitm = _inside(meta, b"pitm")
    main = int.from_bytes(pitm[4:], "big")
    first = max(one.item for one in old) + 1
    named = [
        _Location(first + number, ((place, len(item.data)),))
        for number, (item, place) in enumerate(zip(items, places, strict=True))
    ]
    parts = []
    has_references = False
    for found in boxes(meta.payload, 4):
        if found.kind == b"iloc":
            parts.append(_iloc([*old, *named]))
        elif found.kind == b"iinf":
            parts.append(_iinf(found.payload, items, first))
        elif found.kind == b"iref":
            has_references = True
            parts.append(box(b"iref", found.payload + _references(named, main)))
        elif found.kind == b"iprp":
            parts.append(_iprp(found.payload, properties, main))
        else:
            parts.append(found.data)
    if items and not has_references:
        parts.append(full_box(b"iref", _references(named, main)))
    return box(b"meta", meta.payload[:4] + b"".join(parts))


def _iloc(locations: Sequence[_Location]) -> bytes:
    parts = [struct.pack(">BBH", 0x44, 0, len(locations))]
    for one in locations:
        parts.append(struct.pack(">HHH", one.item, 0, len(one.extents)))
        parts += [struct.pack(">II", begin, size) for begin, size in one.extents]
    return full_box(b"iloc", b"".join(parts))


def _iinf(payload: bytes, items: Sequence[NewItem], first: int) -> bytes:
    letter = ">I" if payload[0] else ">H"
    width = struct.calcsize(letter)
    count = struct.unpack_from(letter, payload, 4)[0] + len(items)
    entries = payload[4 + width :]
    for number, item in enumerate(items, start=first):
        said = struct.pack(">HH4s", number, 0, item.kind) + b"\0"
        said += item.content_type + b"\0" if item.content_type else b""
        entries += full_box(b"infe", said, version=2)
    return box(b"iinf", payload[:4] + struct.pack(letter, count) + entries)


def _references(named: Sequence[_Location], main: int) -> bytes:
    return b"".join(box(b"cdsc", struct.pack(">HHH", one.item, 1, main)) for one in named)


def _iprp(payload: bytes, properties: Sequence[tuple[bytes, bytes]], main: int) -> bytes:
    """Properties: the list (ipco), and which item has which (ipma)."""
    ipco, ipma = list(boxes(payload))[:2]
    count = len(list(boxes(ipco.payload)))
    added = b"".join(box(kind, said) for kind, said in properties)
    wide = ipma.payload[0] > 0
    long = bool(ipma.payload[3] & 1)
    item_size, entry_size = 4 if wide else 2, 2 if long else 1
    at = 8
    entries = []
    for _ in range(int.from_bytes(ipma.payload[4:8], "big")):
        item = ipma.payload[at : at + item_size]
        number = ipma.payload[at + item_size]
        at += item_size + 1
        has = ipma.payload[at : at + number * entry_size]
        at += number * entry_size
        if int.from_bytes(item, "big") == main:
            for index, (kind, _) in enumerate(properties, start=count + 1):
                essential = kind in (b"irot", b"imir")
                bit = essential << (15 if long else 7)
                has += (index | bit).to_bytes(entry_size, "big")
                number += 1
        entries.append(item + bytes([number]) + has)
    new = ipma.payload[:8] + b"".join(entries)
    return box(b"iprp", box(b"ipco", ipco.payload + added) + box(b"ipma", new))
