"""A progressive scan of one plane's AC coefficients: its touched blocks read and rewritten.

Groups (see `ac_groups`) without a touched block are copied as they are. In the others touched
blocks are written anew, and the bits of those between them are copied.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from regionwise.arrays import Bools, Bytes, Numbers
from regionwise.photos.jpeg_splice.ac_groups import (
    Groups,
    SymbolAtEachBit,
    first_groups,
    refined_groups,
)
from regionwise.photos.jpeg_splice.ac_writer import AcWriter
from regionwise.photos.jpeg_splice.bits import Bits, joined, stuffed, unstuffed, windows
from regionwise.photos.jpeg_splice.errors import BrokenJpegError
from regionwise.photos.jpeg_splice.geometry import Geometry
from regionwise.photos.jpeg_splice.huffman import HuffmanTable
from regionwise.photos.jpeg_splice.scan import Blocks, Edit, Unwritable
from regionwise.photos.jpeg_splice.structure import Structure, intervals
from regionwise.photos.jpeg_splice.tables import Tables


@dataclass(frozen=True, eq=False)
class _Interval:
    """A restart interval with touched blocks.

    Attributes:
        begin, end: its bytes in the file.
        data: those without stuffing.
        slots: which of the touched blocks lie in it.
        touched: their numbers, counted from its first block.
        groups: all of it.
        corrections: correction bits before each block, and in all.
    """

    begin: int
    end: int
    data: Bytes
    slots: Numbers
    touched: Numbers
    groups: Groups
    corrections: list[int]

    def correction(self, group: int, block: int) -> int:
        """Where the correction bits of a block in a group begin, save the group's first."""
        end = self.corrections[self.groups.block[group + 1]]
        return self.groups.begin[group + 1] - (end - self.corrections[block])


class AcScan:
    """See the module.

    Args:
        touched: the plane's touched blocks, indices into its grid, ascending.
        history: blocks×64 of the plane: which coefficients are not 0 before this scan. Is made what
            it is after it.
    """

    def __init__(
        self, data: bytes, structure: Structure, number: int, touched: Numbers, history: Bools
    ) -> None:
        self._scan = structure.scans[number]
        self._component = self._scan.components[0]
        self._table = Tables(structure.tables).get(self._scan.ac[0])
        self._is_last = not any(
            self._component in later.components and later.first
            for later in structure.scans[number + 1 :]
        )
        self._band = self._scan.first, self._scan.last
        geometry = Geometry(structure.frame, self._scan)
        order = geometry.mcus(0, touched)
        self._intervals = []
        for part, (begin, end) in enumerate(intervals(data, self._scan, geometry.count)):
            own = history[part * geometry.interval : (part + 1) * geometry.interval]
            plain = unstuffed(np.frombuffer(data, np.uint8)[begin:end])
            groups, corrections = self._groups(plain, own)
            slots = np.flatnonzero(order // geometry.interval == part)
            places = order[slots] % geometry.interval
            if len(slots):
                one = _Interval(begin, end, plain, slots, places, groups, corrections)
                self._intervals.append(one)

    def _groups(self, plain: Bytes, history: Bools) -> tuple[Groups, list[int]]:
        band = history[:, self._scan.first : self._scan.last + 1]
        corrections: list[int] = np.append(0, np.cumsum(np.count_nonzero(band, axis=1))).tolist()
        symbols = SymbolAtEachBit(plain, self._table)
        new = array("q")
        try:
            if self._scan.high:
                wanted = None if self._is_last else new
                groups = refined_groups(symbols, band, corrections, self._band, wanted)
            else:
                groups = first_groups(symbols, len(history), self._band, new)
        except IndexError as error:
            raise BrokenJpegError("it ends before its last block") from error
        if groups.begin[-1] > 8 * len(plain):
            raise BrokenJpegError("it ends before its last block")
        history.reshape(-1)[np.frombuffer(new, np.int64)] = True
        return groups, corrections

    def read_into(self, blocks: Blocks) -> None:
        """Put what the scan holds of the touched blocks into them."""
        for one in self._intervals:
            reader = _BlockReader(one.data, self._table, self._scan.low)
            for slot, block in zip(one.slots, one.touched.tolist(), strict=True):
                group = one.groups.of(block)
                values = blocks[self._component][slot, self._scan.first : self._scan.last + 1]
                if one.groups.block[group] != block:
                    if self._scan.high:
                        reader.correct(values, one.correction(group, block))
                elif self._scan.high:
                    reader.refine(values, one.groups.begin[group])
                else:
                    reader.read(values, one.groups.begin[group])

    def rewrite(self, blocks: Blocks, tables: Tables) -> tuple[list[Edit], list[Unwritable]]:
        """Write the scan with other touched blocks."""
        edits: list[Edit] = []
        unwritable: list[Unwritable] = []
        for one in self._intervals:
            writer = AcWriter(tables, self._scan.ac[0], one.data)
            new = dict(zip(one.touched.tolist(), blocks[self._component][one.slots], strict=True))
            own = np.unique([one.groups.of(block) for block in new])
            parts, at = [], 0
            for cut in np.split(own, np.flatnonzero(np.diff(own) > 1) + 1):
                parts.append(Bits(one.data, at, one.groups.begin[cut[0]]))
                self._write(one, cut.tolist(), new, writer)
                parts += writer.taken()
                at = one.groups.begin[cut[-1] + 1]
            parts.append(Bits(one.data, at, one.groups.begin[-1]))
            edits.append((one.begin, one.end, stuffed(joined(parts)).tobytes()))
            if writer.bad:
                bad, ks = np.array(writer.bad).T
                slots = one.slots[np.searchsorted(one.touched, bad)]
                unwritable.append(Unwritable(self._component, slots, ks))
        return edits, unwritable

    def _write(
        self,
        one: _Interval,
        groups: Sequence[int],
        new: dict[int, npt.NDArray[np.int32]],
        writer: AcWriter,
    ) -> None:
        """Write consecutive groups."""
        for group in groups:
            first = one.groups.block[group]
            for block in range(first, one.groups.block[group + 1]):
                if block in new:
                    self._write_new(block, new[block], writer)
                    continue
                begin = one.groups.after[group]
                if block == first:
                    last = one.groups.last[group]
                    writer.copy(one.groups.begin[group], begin if last < 0 else last)
                    if last < 0:
                        continue
                else:
                    begin = one.correction(group, block)
                writer.copy_end(begin, one.correction(group, block + 1))

    def _write_new(self, block: int, values: npt.NDArray[np.int32], writer: AcWriter) -> None:
        band = values[self._scan.first : self._scan.last + 1]
        sizes = (np.abs(band) >> self._scan.low).tolist()
        write = writer.refined if self._scan.high else writer.first
        write(block, self._scan.first, sizes, (band > 0).tolist())


class _BlockReader:
    """Reads the values of single blocks, after `ac_groups` found them to be sound.

    Each method takes a block's band, which it changes, and where its bits begin.
    """

    def __init__(self, data: Bytes, table: HuffmanTable, low: int) -> None:
        self._view = windows(data).data
        self._table = table
        self._low = low
        self._at = 0

    def read(self, band: npt.NDArray[np.int32], at: int) -> None:
        """A block's first bits."""
        self._at = at
        k = 0
        while k < len(band):
            run, size = self._symbol()
            if not size and run < 15:
                return
            k += run
            if size:
                bits = self._bits(size)
                value = bits if bits >> (size - 1) else bits + 1 - (1 << size)
                band[k] = value * (1 << self._low)
            k += 1

    def refine(self, band: npt.NDArray[np.int32], at: int) -> None:
        """One more bit of a block that has symbols of its own."""
        self._at = at
        k = 0
        while k < len(band):
            run, size = self._symbol()
            if not size and run < 15:
                self._bits(run)
                break
            new = (1 if self._bits(1) else -1) << self._low if size else 0
            while k < len(band):
                if band[k]:
                    self._correct(band, k)
                elif run:
                    run -= 1
                else:
                    break
                k += 1
            if new:
                band[k] = new
            k += 1
        for place in range(k, len(band)):
            if band[place]:
                self._correct(band, place)

    def correct(self, band: npt.NDArray[np.int32], at: int) -> None:
        """One more bit of a block that has nothing new."""
        self._at = at
        for k in np.flatnonzero(band).tolist():
            self._correct(band, k)

    def _correct(self, band: npt.NDArray[np.int32], k: int) -> None:
        if self._bits(1):
            band[k] += np.sign(band[k]) << self._low

    def _symbol(self) -> tuple[int, int]:
        symbols, lengths = self._table.lookup
        window = self._window()
        self._at += int(lengths[window])
        return int(symbols[window]) >> 4, int(symbols[window]) & 15

    def _bits(self, count: int) -> int:
        window = self._window()
        self._at += count
        return window >> (16 - count)

    def _window(self) -> int:
        return int(self._view[self._at >> 3]) >> (16 - (self._at & 7)) & 0xFFFF
