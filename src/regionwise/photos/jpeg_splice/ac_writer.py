"""Writes blocks of a progressive AC scan, some copied and some new. Source: ITU-T T.81, G.1.2."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from regionwise.arrays import Bytes
from regionwise.photos.jpeg_splice.bits import Bits, packed
from regionwise.photos.jpeg_splice.errors import UnsupportedJpegError
from regionwise.photos.jpeg_splice.structure import TablePlace
from regionwise.photos.jpeg_splice.tables import Tables

_SIXTEEN_ZEROS = 0xF0
_LONGEST_RUN = 0x7FFF


class AcWriter:
    """Collects bits.

    Attributes:
        bad: (block, coefficient) for which the table has no code and no room.
    """

    def __init__(self, tables: Tables, place: TablePlace | None, data: Bytes) -> None:
        self.bad: list[tuple[int, int]] = []
        self._tables, self._place, self._data = tables, place, data
        self._known: dict[int, tuple[int, int]] = {}
        self._parts: list[Bits] = []
        self._codes: list[int] = []
        self._lengths: list[int] = []
        self._run: list[Bits | list[int]] = []  # correction bits of each block in it

    def copy(self, begin: int, end: int) -> None:
        """Take over symbols of a block."""
        if end > begin:
            self._end_run()
            self._copy(Bits(self._data, begin, end))

    def copy_end(self, begin: int, end: int) -> None:
        """Let a block end whose correction bits are taken over."""
        self._join(Bits(self._data, begin, end))

    def first(self, block: int, k: int, sizes: Sequence[int], signs: Sequence[bool]) -> None:
        """Write a block's band for the first time.

        Args:
            block: its number, for `bad`.
            k: the band's first coefficient.
            sizes: magnitudes, shifted.
            signs: whether positive.
        """
        zeros = 0
        for place, (size, positive) in enumerate(zip(sizes, signs, strict=True)):
            if not size:
                zeros += 1
                continue
            self._end_run()
            while zeros > 15:
                self._symbol(_SIXTEEN_ZEROS, block, k + place)
                zeros -= 16
            bits = size.bit_length()
            self._symbol(zeros << 4 | bits, block, k + place)
            self._put(size if positive else size ^ (1 << bits) - 1, bits)
            zeros = 0
        if zeros:
            self._join([])

    def refined(self, block: int, k: int, sizes: Sequence[int], signs: Sequence[bool]) -> None:
        """Write one more bit of a block's band; arguments as for `first`."""
        zeros = 0
        waiting: list[int] = []
        newest = max((place for place, size in enumerate(sizes) if size == 1), default=-1)
        for place, (size, positive) in enumerate(zip(sizes, signs, strict=True)):
            if not size:
                zeros += 1
                continue
            while zeros > 15 and place <= newest:
                self._end_run()
                self._symbol(_SIXTEEN_ZEROS, block, k + place)
                self._corrections(waiting)
                waiting = []
                zeros -= 16
            if size > 1:
                waiting.append(size & 1)
                continue
            self._end_run()
            self._symbol(zeros << 4 | 1, block, k + place)
            self._put(int(positive), 1)
            self._corrections(waiting)
            waiting = []
            zeros = 0
        if zeros or waiting:
            self._join(waiting)

    def taken(self) -> list[Bits]:
        """End the run, and give what was written since the last time."""
        self._end_run()
        self._cut()
        parts, self._parts = self._parts, []
        return parts

    def _join(self, corrections: Bits | list[int]) -> None:
        self._run.append(corrections)
        if len(self._run) == _LONGEST_RUN:
            self._end_run()

    def _end_run(self) -> None:
        while self._run:
            size = len(self._run).bit_length() - 1
            while not self._code(size << 4)[1]:
                size -= 1
                if size < 0:
                    raise UnsupportedJpegError("its Huffman tables can't end a block")
            count = min(len(self._run), (2 << size) - 1)
            self._put(*self._code(size << 4))
            self._put(count - (1 << size), size)
            for corrections in self._run[:count]:
                self._corrections(corrections)
            del self._run[:count]

    def _corrections(self, bits: Bits | list[int]) -> None:
        if isinstance(bits, Bits):
            self._copy(bits)
            return
        for bit in bits:
            self._put(bit, 1)

    def _symbol(self, symbol: int, block: int, k: int) -> None:
        code, length = self._code(symbol)
        if not length:
            self.bad.append((block, k))
        self._put(code, length)

    def _code(self, symbol: int) -> tuple[int, int]:
        if symbol not in self._known:
            table = self._tables.grown(self._place, np.array([symbol]))
            codes, lengths = table.codes
            self._known[symbol] = int(codes[symbol]), int(lengths[symbol])
        return self._known[symbol]

    def _put(self, code: int, length: int) -> None:
        self._codes.append(code)
        self._lengths.append(length)

    def _copy(self, bits: Bits) -> None:
        if bits.end > bits.begin:
            self._cut()
            self._parts.append(bits)

    def _cut(self) -> None:
        if self._codes:
            self._parts.append(packed(np.array(self._codes), np.array(self._lengths)))
            self._codes, self._lengths = [], []
