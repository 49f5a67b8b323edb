"""What a JPEG file is made of: its frame, its tables and where its scans lie.

Nothing is decoded here, and nothing of the file is changed. Source: ITU-T T.81, annex B.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from regionwise.arrays import Numbers
from regionwise.photos.jpeg_splice.errors import BrokenJpegError, UnsupportedJpegError
from regionwise.photos.jpeg_splice.huffman import HuffmanTable

_TABLES, _QUANTIZATION, _RESTARTS, _SCAN = 0xC4, 0xDB, 0xDD, 0xDA
_END, _LINES = 0xD9, 0xDC
_BASELINE, _EXTENDED, _PROGRESSIVE = 0xC0, 0xC1, 0xC2
_NOT_SPLICED = {
    0xC3: "lossless", 0xC5: "hierarchical", 0xC6: "hierarchical", 0xC7: "hierarchical",
    0xC9: "arithmetic-coded", 0xCA: "arithmetic-coded", 0xCB: "lossless", 0xCC: "arithmetic-coded",
    0xCD: "hierarchical", 0xCE: "hierarchical", 0xCF: "hierarchical", 0xF7: "JPEG-LS",
}  # fmt: skip
_AFTER_SCAN = re.compile(rb"\xff[^\x00\xd0-\xd7]")
_RESTART = re.compile(rb"\xff[\xd0-\xd7]")
_MOST_SCANS = 200


@dataclass(frozen=True)
class Component:
    """A plane of the picture.

    Attributes:
        identifier: its number in the file.
        horizontal, vertical: sampling factors.
        quantization: number of its table.
        columns, rows: blocks that hold pixels, which is what a scan of this plane alone holds.
        grid: (rows, columns) of blocks with those that fill up MCUs.
        scale: (down, across) pixels of the picture for a sample.
    """

    identifier: int
    horizontal: int
    vertical: int
    quantization: int
    columns: int
    rows: int
    grid: tuple[int, int]
    scale: tuple[int, int]


@dataclass(frozen=True)
class Frame:
    """The picture's size and planes; `mcus` is (rows, columns)."""

    progressive: bool
    height: int
    width: int
    mcus: tuple[int, int]
    components: tuple[Component, ...]


@dataclass(frozen=True)
class TablePlace:
    """Where in the file a Huffman table lies: its DHT segment, and its number in there."""

    segment: int
    number: int


@dataclass(frozen=True)
class ScanHeader:
    """One pass over some of the planes.

    Attributes:
        components: indices into the frame's.
        dc, ac: for each of them its Huffman tables; None where none was defined.
        first, last: the band of coefficients in zigzag order.
        high, low: successive approximation, Ah and Al.
        restart: MCUs in a restart interval; 0 for none.
        begin, end: its entropy-coded bytes in the file.
    """

    components: tuple[int, ...]
    dc: tuple[TablePlace | None, ...]
    ac: tuple[TablePlace | None, ...]
    first: int
    last: int
    high: int
    low: int
    restart: int
    begin: int
    end: int


@dataclass
class Structure:
    """A file taken apart.

    Attributes:
        tables: each Huffman table of the file by its place.
        quantization: of each component, 64 steps in zigzag order.
        colors: "L", "RGB", "YCbCr", "CMYK" or "YCCK": what the planes hold.
        end: bytes up to the end of the picture; what lies behind is not looked at.
    """

    frame: Frame
    scans: list[ScanHeader] = field(default_factory=list)
    tables: dict[TablePlace, HuffmanTable] = field(default_factory=dict)
    quantization: list[Numbers] = field(default_factory=list)
    colors: str = ""
    end: int = 0


def intervals(data: bytes, scan: ScanHeader, mcus: int) -> list[tuple[int, int]]:
    """Where the restart intervals of a scan lie in the file, without the markers between them.

    Raises:
        BrokenJpegError: if there are more or fewer than the scan's `mcus` ask for.
    """
    markers = [match.start() for match in _RESTART.finditer(data, scan.begin, scan.end)]
    expected = -(-mcus // scan.restart) - 1 if scan.restart else 0
    in_order = all(data[at + 1] == 0xD0 + number % 8 for number, at in enumerate(markers))
    if len(markers) != expected or not in_order:
        raise BrokenJpegError("a scan has other restart markers than its length asks for")
    return list(zip([scan.begin, *(at + 2 for at in markers)], [*markers, scan.end], strict=True))


def parse(data: bytes) -> Structure:
    """Take a file apart, up to the end of its first picture.

    Raises:
        UnsupportedJpegError: for what isn't Huffman-coded DCT of 8 bits with one, three or four
            planes.
        BrokenJpegError: if it is cut short or contradicts itself.
    """
    if not data.startswith(b"\xff\xd8"):
        raise BrokenJpegError("it does not begin as a JPEG does")
    try:
        return _Parser(data).parse()
    except IndexError as error:
        raise BrokenJpegError("a segment is cut short") from error


class _Parser:
    def __init__(self, data: bytes) -> None:
        self.data = data
        self.structure: Structure | None = None
        self.steps: dict[int, Numbers] = {}
        self.latched: dict[int, Numbers] = {}
        self.current: dict[tuple[int, int], TablePlace] = {}
        self.tables: dict[TablePlace, HuffmanTable] = {}
        self.restart = 0
        self.jfif = False
        self.adobe: int | None = None

    def parse(self) -> Structure:
        at = 2
        while True:
            while self.data[at] == 0xFF and self.data[at + 1] == 0xFF:
                at += 1
            if self.data[at] != 0xFF:
                raise BrokenJpegError("there are bytes between its segments")
            marker = self.data[at + 1]
            if marker == _END:
                return self._finished(at + 2)
            length = int.from_bytes(self.data[at + 2 : at + 4], "big")
            end = at + 2 + length
            if length < 2 or end > len(self.data):
                raise BrokenJpegError("a segment is cut short")
            self._segment(marker, at, self.data[at + 4 : end])
            at = self._scan(at, end) if marker == _SCAN else end

    def _segment(self, marker: int, at: int, payload: bytes) -> None:
        if marker in _NOT_SPLICED:
            raise UnsupportedJpegError(f"its kind is {_NOT_SPLICED[marker]}")
        if marker == _LINES:
            raise UnsupportedJpegError("its height is told after its first scan")
        if marker in (_BASELINE, _EXTENDED, _PROGRESSIVE):
            if self.structure is not None:
                raise BrokenJpegError("it has two frames")
            self.structure = Structure(_frame(payload, marker == _PROGRESSIVE), tables=self.tables)
        elif marker == _TABLES:
            for number, (slot, table) in enumerate(huffman_tables(payload)):
                place = TablePlace(at, number)
                self.current[slot] = place
                self.tables[place] = table
        elif marker == _QUANTIZATION:
            self.steps.update(_quantization_tables(payload))
        elif marker == _RESTARTS:
            self.restart = int.from_bytes(payload[:2], "big")
        elif marker == 0xE0 and payload.startswith(b"JFIF\0"):
            self.jfif = True
        elif marker == 0xEE and payload.startswith(b"Adobe") and len(payload) >= 12:
            self.adobe = payload[11]

    def _scan(self, at: int, begin: int) -> int:
        """Take up a scan; gives where its entropy-coded bytes end."""
        if self.structure is None:
            raise BrokenJpegError("it has a scan before its frame")
        if len(self.structure.scans) >= _MOST_SCANS:
            raise UnsupportedJpegError(f"it has more than {_MOST_SCANS} scans")
        match = _AFTER_SCAN.search(self.data, begin)
        if match is None:
            raise BrokenJpegError("it has no end")
        header = self.data[at + 4 : begin]
        scan = _scan_of(header, self.structure.frame, self.current, self.restart)
        for index in scan[0]:
            steps = self.steps.get(self.structure.frame.components[index].quantization)
            if steps is None:
                raise BrokenJpegError("it has no quantisation table")
            self.latched.setdefault(index, steps)
        self.structure.scans.append(ScanHeader(*scan, self.restart, begin, match.start()))
        return match.start()

    def _finished(self, end: int) -> Structure:
        if self.structure is None or not self.structure.scans:
            raise BrokenJpegError("it holds no picture")
        components = self.structure.frame.components
        if len(self.latched) != len(components):
            raise BrokenJpegError("a plane has no scan")
        self.structure.quantization = [self.latched[index] for index in range(len(components))]
        self.structure.colors = self._colors([one.identifier for one in components])
        self.structure.end = end
        return self.structure

    def _colors(self, identifiers: list[int]) -> str:
        """What the planes hold, by libjpeg's rules (jdapimin.c)."""
        if len(identifiers) == 1:
            return "L"
        if len(identifiers) == 4:
            return "YCCK" if self.adobe == 2 else "CMYK"
        if self.jfif:
            return "YCbCr"
        if self.adobe is not None:
            return "RGB" if self.adobe == 0 else "YCbCr"
        return "RGB" if identifiers == [ord(letter) for letter in "RGB"] else "YCbCr"


def _frame(payload: bytes, progressive: bool) -> Frame:
    precision, count = payload[0], payload[5]
    height, width = int.from_bytes(payload[1:3], "big"), int.from_bytes(payload[3:5], "big")
    if precision != 8:
        raise UnsupportedJpegError(f"it has {precision} bits a sample")
    if not height:
        raise UnsupportedJpegError("its height is told after its first scan")
    if count not in (1, 3, 4) or not width:
        raise UnsupportedJpegError(f"it has {count} planes of {width}×{height}")
    rows = [payload[6 + 3 * index : 9 + 3 * index] for index in range(count)]
    across, down = [row[1] >> 4 for row in rows], [row[1] & 15 for row in rows]
    if not all(1 <= factor <= 4 for factor in across + down):
        raise BrokenJpegError("a sampling factor is not 1 to 4")
    most = max(down), max(across)
    mcus = _over(height, 8 * most[0]), _over(width, 8 * most[1])
    if count == 1:
        mcus = _over(height, 8), _over(width, 8)
        across, down, most = [1], [1], (1, 1)
    if any(most[1] % factor for factor in across) or any(most[0] % factor for factor in down):
        raise UnsupportedJpegError("a plane is scaled by a fraction")
    components = tuple(
        Component(
            row[0], h, v, row[2],
            columns=_over(_over(width * h, most[1]), 8), rows=_over(_over(height * v, most[0]), 8),
            grid=(mcus[0] * v, mcus[1] * h), scale=(most[0] // v, most[1] // h),
        )
        for row, h, v in zip(rows, across, down, strict=True)
    )  # fmt: skip
    return Frame(progressive, height, width, mcus, components)


def _over(number: int, divisor: int) -> int:
    """A quotient, rounded up."""
    return -(-number // divisor)


def huffman_tables(payload: bytes) -> Iterator[tuple[tuple[int, int], HuffmanTable]]:
    """The tables of a DHT segment, each with its (class, number)."""
    at = 0
    while at < len(payload):
        counts = payload[at + 1 : at + 17]
        end = at + 17 + sum(counts)
        yield (payload[at] >> 4, payload[at] & 15), HuffmanTable(counts, payload[at + 17 : end])
        at = end


def _quantization_tables(payload: bytes) -> Iterator[tuple[int, Numbers]]:
    at = 0
    while at < len(payload):
        size = 2 if payload[at] >> 4 else 1
        raw = payload[at + 1 : at + 1 + 64 * size]
        if len(raw) != 64 * size:
            raise BrokenJpegError("a quantisation table is cut short")
        steps = np.frombuffer(raw, ">u2" if size == 2 else ">u1").astype(np.int64)
        if not steps.all():
            raise BrokenJpegError("a quantisation table holds a zero")
        yield payload[at] & 15, steps
        at += 1 + 64 * size


def _scan_of(
    header: bytes, frame: Frame, current: dict[tuple[int, int], TablePlace], restart: int
) -> tuple[
    tuple[int, ...],
    tuple[TablePlace | None, ...],
    tuple[TablePlace | None, ...],
    int,
    int,
    int,
    int,
]:
    count = header[0]
    numbers = {component.identifier: index for index, component in enumerate(frame.components)}
    rows = [(header[1 + 2 * one], header[2 + 2 * one]) for one in range(count)]
    named = {row[0] for row in rows}
    if (
        not named
        or len(named) != count
        or not named <= set(numbers)
        or len(header) != 4 + 2 * count
    ):
        raise BrokenJpegError("a scan names no plane, or one that isn't there")
    first, last, approximation = header[1 + 2 * count : 4 + 2 * count]
    high, low = approximation >> 4, approximation & 15
    if not frame.progressive:
        first, last, high, low = 0, 63, 0, 0
    elif first > last or last > 63 or low > 13 or (first and count > 1) or (not first and last):
        raise BrokenJpegError("a progressive scan has an impossible band")
    elif high and high != low + 1:
        raise BrokenJpegError("a progressive scan refines by more than a bit")
    return (
        tuple(numbers[row[0]] for row in rows),
        tuple(current.get((0, row[1] >> 4)) for row in rows),
        tuple(current.get((1, row[1] & 15)) for row in rows),
        first, last, high, low,
    )  # fmt: skip
