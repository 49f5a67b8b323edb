"""A scan whose blocks hold whole coefficients, or DC alone: its touched MCUs read and rewritten.

Sequential scans, and the first DC scan of a progressive picture. Bits of MCUs that aren't rewritten
are copied. Behind each touched MCU one more is rewritten, with the same coefficients, as its DC
coefficients are told as differences.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from regionwise.arrays import Bytes, Numbers
from regionwise.photos.jpeg_splice.bits import (
    Bits,
    joined,
    packed,
    stuffed,
    unstuffed,
    windows,
)
from regionwise.photos.jpeg_splice.block_tables import block_tables
from regionwise.photos.jpeg_splice.errors import UnsupportedJpegError
from regionwise.photos.jpeg_splice.geometry import Geometry
from regionwise.photos.jpeg_splice.positions import block_positions
from regionwise.photos.jpeg_splice.scan import Blocks, Edit, Unwritable
from regionwise.photos.jpeg_splice.sequential import read_blocks, read_dc, symbols_of
from regionwise.photos.jpeg_splice.structure import Structure, intervals
from regionwise.photos.jpeg_splice.tables import Tables


@dataclass(frozen=True, eq=False)
class _Interval:
    """A restart interval with touched MCUs.

    Attributes:
        begin, end: its bytes in the file.
        data: those without stuffing.
        positions: bits where the blocks begin, and where the last that was looked at ends.
        mcus: those to rewrite, ascending, counted from the interval's first.
        first: the number of the first MCU.
        dc: for each component its DC coefficients in order, undifferenced.
        blocks: those of `mcus`: N×blocks×64 in zigzag order, DC undifferenced.
    """

    begin: int
    end: int
    data: Bytes
    positions: Numbers
    mcus: Numbers
    first: int
    dc: list[Numbers]
    blocks: npt.NDArray[np.int32]


class SequentialScan:
    """See the module; `touched` has for each component its touched blocks, ascending."""

    def __init__(
        self, data: bytes, structure: Structure, number: int, touched: Mapping[int, Numbers]
    ) -> None:
        self._scan = structure.scans[number]
        self._geometry = Geometry(structure.frame, self._scan)
        self._touched = touched
        self._low = self._scan.low
        self._holds_dc_alone = structure.frame.progressive
        tables = Tables(structure.tables)
        pairs = [
            (tables.get(dc), None if self._holds_dc_alone else tables.get(ac))
            for dc, ac in zip(self._scan.dc, self._scan.ac, strict=True)
        ]
        self._pairs = pairs
        mcus = [
            self._geometry.mcus(place, touched[component])
            for place, component in enumerate(self._scan.components)
        ]
        self._intervals = []
        bounds = intervals(data, self._scan, self._geometry.count)
        own = np.unique(np.concatenate(mcus))
        for part in np.unique(own // self._geometry.interval):
            inside = own[own // self._geometry.interval == part] - part * self._geometry.interval
            self._intervals.append(self._read(data, bounds[part], int(part), inside))

    def _read(self, data: bytes, bounds: tuple[int, int], part: int, touched: Numbers) -> _Interval:
        begin, end = bounds
        first = part * self._geometry.interval
        count = min(self._geometry.interval, self._geometry.count - first)
        places = np.array(self._geometry.places)
        mcus = np.unique(np.concatenate([touched, touched + 1]))
        mcus = mcus[mcus < count]
        plain = unstuffed(np.frombuffer(data, np.uint8)[begin:end])
        tables = block_tables(tuple(self._pairs[place] for place in places))
        size = len(places)
        needed = int(mcus[-1]) + 1
        positions = block_positions(plain, tables, needed * size, count * size)
        view = windows(plain[: (int(positions[-1]) >> 3) + 8])
        by_mcu = positions[:-1].reshape(needed, size)
        dc = []
        for number, pair in enumerate(self._pairs):
            differences, _ = read_dc(view, by_mcu[:, places == number].ravel(), pair[0])
            dc.append(np.cumsum(differences))
        kinds = np.tile(places, len(mcus))
        blocks = read_blocks(view, by_mcu[mcus].ravel(), kinds, self._pairs)
        blocks = blocks.reshape(len(mcus), size, 64)
        for number, values in enumerate(dc):
            blocks[:, places == number, 0] = values.reshape(needed, -1)[mcus]
        return _Interval(begin, end, plain, positions, mcus, first, dc, blocks)

    def read_into(self, blocks: Blocks) -> None:
        """Put what the scan holds of the touched blocks into N×64 of each component."""
        for one in self._intervals:
            index = self._geometry.blocks(one.mcus + one.first)
            for place, number in enumerate(self._geometry.places):
                component = self._scan.components[number]
                slot, found = _find(self._touched[component], index[:, place])
                new = one.blocks[found, place]
                if self._holds_dc_alone:
                    blocks[component][slot, 0] = new[:, 0] << self._low
                else:
                    blocks[component][slot] = new

    def rewrite(self, blocks: Blocks, tables: Tables) -> tuple[list[Edit], list[Unwritable]]:
        """Write the scan with other touched blocks.

        Returns:
            What to put instead of which bytes of the file, and what can't be written.
        """
        edits: list[Edit] = []
        unwritable: list[Unwritable] = []
        for one in self._intervals:
            new = self._with(one, blocks)
            parts = self._coded(one, new, tables, unwritable)
            if not unwritable:
                edits.append((one.begin, one.end, stuffed(joined(parts)).tobytes()))
        return edits, unwritable

    def _with(self, one: _Interval, blocks: Blocks) -> npt.NDArray[np.int32]:
        """The interval's blocks to write, N×64, with DC differences."""
        new = one.blocks.copy()
        index = self._geometry.blocks(one.mcus + one.first)
        places = np.array(self._geometry.places)
        for place, number in enumerate(places):
            component = self._scan.components[number]
            slot, found = _find(self._touched[component], index[:, place])
            if self._holds_dc_alone:
                new[found, place, 0] = blocks[component][slot, 0] >> self._low
            else:
                new[found, place] = blocks[component][slot]
        for number, old in enumerate(one.dc):
            values = old.copy().reshape(-1, int((places == number).sum()))
            values[one.mcus] = new[:, places == number, 0]
            differences = np.diff(values.ravel(), prepend=0).reshape(values.shape)
            new[:, places == number, 0] = differences[one.mcus]
        flat: npt.NDArray[np.int32] = new.reshape(-1, 64)
        return flat

    def _coded(
        self,
        one: _Interval,
        blocks: npt.NDArray[np.int32],
        tables: Tables,
        unwritable: list[Unwritable],
    ) -> list[Bits]:
        """The interval's bits: runs of MCUs written anew, and what lies between them."""
        symbols = symbols_of(blocks)
        size = len(self._geometry.places)
        kinds = np.array(self._geometry.places)[symbols.block % size]
        keep = symbols.k == 0 if self._holds_dc_alone else np.ones(len(kinds), np.bool_)
        codes, lengths = np.zeros_like(kinds), np.zeros_like(kinds)
        for number in range(len(self._pairs)):
            for is_dc, place in ((True, self._scan.dc[number]), (False, self._scan.ac[number])):
                own = np.flatnonzero(keep & (kinds == number) & ((symbols.k == 0) == is_dc))
                if not len(own):
                    continue
                code, bits = tables.grown(place, symbols.value[own]).codes
                codes[own] = code[symbols.value[own]]
                lengths[own] = bits[symbols.value[own]]
                self._complain(one, symbols.block[own], symbols.k[own], lengths[own], unwritable)
        codes = codes << symbols.size | symbols.extra
        lengths = np.where(keep, lengths + symbols.size, 0)
        return self._between(one, symbols.block // size, np.where(keep, codes, 0), lengths)

    def _complain(
        self,
        one: _Interval,
        block: Numbers,
        k: Numbers,
        lengths: Numbers,
        unwritable: list[Unwritable],
    ) -> None:
        bad = np.flatnonzero(lengths == 0)
        if not len(bad):
            return
        if (k[bad] == 0).any() or (k[bad] == 64).any():
            raise UnsupportedJpegError("its Huffman tables lack a symbol and have no room for it")
        mcu, place = np.divmod(block[bad], len(self._geometry.places))
        index = self._geometry.blocks(one.mcus[mcu] + one.first)[np.arange(len(mcu)), place]
        numbers = np.array(self._geometry.places)[place]
        for number in np.unique(numbers):
            component = self._scan.components[number]
            slot, found = _find(self._touched[component], index[numbers == number])
            unwritable.append(Unwritable(component, slot, k[bad][numbers == number][found]))

    def _between(
        self, one: _Interval, row: Numbers, codes: Numbers, lengths: Numbers
    ) -> list[Bits]:
        """Put runs of rewritten MCUs (`row` counts them) between the bits that stay."""
        size = len(self._geometry.places)
        cuts = np.flatnonzero(np.diff(one.mcus) > 1) + 1
        begins, ends = [0, *cuts.tolist()], [*cuts.tolist(), len(one.mcus)]
        parts, at = [], 0
        for begin, end in zip(begins, ends, strict=True):
            span = slice(*np.searchsorted(row, [begin, end]).tolist())
            old = one.positions[[int(one.mcus[begin]) * size, (int(one.mcus[end - 1]) + 1) * size]]
            parts += [Bits(one.data, at, int(old[0])), packed(codes[span], lengths[span])]
            at = int(old[1])
        written = sum(part.end - part.begin for part in parts)
        return [*parts, Bits(one.data, at, self._end(one, written - at))]

    def _end(self, one: _Interval, shift: int) -> int:
        """Where to stop copying an interval that moves by some bits: its end, with filling bits.

        The ones that fill up its last byte would make one byte too many if they reached over into
        a further one. If that may be, the true end is looked for.
        """
        end = 8 * len(one.data)
        last = int(one.data[-1]) if len(one.data) else 0
        filling = next(count for count in range(8) if count == 7 or not last >> count & 1)
        if -(-(end + shift) // 8) == -(-(end + shift - filling) // 8):
            return end
        places = self._geometry.places
        count = min(self._geometry.interval, self._geometry.count - one.first) * len(places)
        rest = count - (len(one.positions) - 1)
        tables = block_tables(tuple(self._pairs[place] for place in places))
        found = block_positions(one.data, tables, rest, rest, int(one.positions[-1]))
        return int(found[-1])


def _find(touched: Numbers, index: Numbers) -> tuple[Numbers, Numbers]:
    """Where in `touched` the blocks of `index` lie, and which of `index` do."""
    slot = np.searchsorted(touched, index)
    there = np.flatnonzero(np.append(touched, -1)[np.minimum(slot, len(touched))] == index)
    return slot[there], there
