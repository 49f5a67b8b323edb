"""Where the blocks of a progressive AC scan lie among its bits.

A block that has nothing to say, or nothing more, joins a run that is told once, before all its
blocks' correction bits ("end of band run"). What begins with a block's own symbols and reaches to
the end of its run is called a group here.

How many bits a refining symbol takes depends on all scans before, so here is no other way than one
symbol after the other. All that can be is looked up beforehand: the symbol that begins at each bit.

Source: ITU-T T.81, G.1.2.2, G.1.2.3 and G.2.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from dataclasses import dataclass, field

import numpy as np

from regionwise.arrays import Bools, Bytes
from regionwise.photos.jpeg_splice.bits import windows
from regionwise.photos.jpeg_splice.errors import BrokenJpegError
from regionwise.photos.jpeg_splice.huffman import HuffmanTable


@dataclass
class Groups:
    """For each group its first block and its bits, and for one more the end of all.

    Attributes:
        block: its first block.
        begin: where it begins.
        last: where the symbol that ends its first block's band begins; -1 if there is none.
        after: where the correction bits behind that symbol begin; the group's end if there is none.
    """

    block: array[int] = field(default_factory=lambda: array("q"))
    begin: array[int] = field(default_factory=lambda: array("q"))
    last: array[int] = field(default_factory=lambda: array("q"))
    after: array[int] = field(default_factory=lambda: array("q"))

    def of(self, block: int) -> int:
        """The group in which a block lies."""
        return bisect_right(self.block, block, hi=len(self.block) - 1) - 1


class SymbolAtEachBit:
    """The symbols that would begin at each bit of a restart interval.

    Attributes:
        steps: 256 × bits to the next symbol + the symbol; 0 where no code begins.
    """

    def __init__(self, data: Bytes, table: HuffmanTable) -> None:
        view = windows(data)
        symbols, lengths = table.lookup
        steps = np.where(lengths > 0, lengths + (symbols & 15) << 8 | symbols, 0).astype(np.uint16)
        found = np.empty((len(view), 8), np.uint16)
        for phase in range(8):
            found[:, phase] = steps[view >> (16 - phase) & 0xFFFF]
        self.steps = found.reshape(-1).data
        self._view = view.data

    def bits(self, at: int, count: int) -> int:
        """Up to 16 bits as a number."""
        window = int(self._view[at >> 3]) >> (16 - (at & 7)) & 0xFFFF
        return window >> (16 - count)


def first_groups(
    symbols: SymbolAtEachBit, count: int, band: tuple[int, int], nonzero: array[int]
) -> Groups:
    """Step through a scan that tells coefficients for the first time.

    Args:
        symbols: of the interval.
        count: its blocks.
        band: first and last coefficient, in zigzag order.
        nonzero: 64 × block + coefficient of all that aren't 0 is put here.

    Raises:
        BrokenJpegError, IndexError: if the bits make no sense, or end too soon.
    """
    groups = Groups()
    add_block, add_begin = groups.block.append, groups.begin.append
    add_last, add_after = groups.last.append, groups.after.append
    steps = symbols.steps
    first, last = band
    at = block = 0
    while block < count:
        add_block(block)
        add_begin(at)
        end, run, k = -1, 1, first
        while k <= last:
            step = steps[at]
            skip = step >> 4 & 15
            if step & 15:
                k += skip
                if k > last:
                    raise BrokenJpegError("a coefficient lies outside its scan's band")
                nonzero.append(block << 6 | k)
                k += 1
                at += step >> 8
            elif not step:
                raise BrokenJpegError("it holds bits that are no code")
            elif skip == 15:
                k += 16
                at += step >> 8
            else:
                end = at
                at += step >> 8
                if skip:
                    run = (1 << skip) + symbols.bits(at, skip)
                    at += skip
                break
        add_last(end)
        add_after(at)
        block += run
    add_block(min(block, count))
    add_begin(at)
    return groups


def refined_groups(
    symbols: SymbolAtEachBit,
    history: Bools,
    corrections: list[int],
    band: tuple[int, int],
    nonzero: array[int] | None,
) -> Groups:
    """Step through a scan that gives coefficients one more bit.

    A symbol leaps over as many coefficients that are 0 as it says, and takes a correction bit for
    each other one on its way.

    Args:
        symbols: of the interval.
        history: blocks×coefficients of the band, those that aren't 0 before the scan.
        corrections: how many of these lie before each block, and in all.
        band: first and last coefficient, in zigzag order.
        nonzero: 64 × block + coefficient of all that are new is put here, if they are wanted.

    Raises:
        BrokenJpegError, IndexError: if the bits make no sense, or end too soon.
    """
    groups = Groups()
    add_block, add_begin = groups.block.append, groups.begin.append
    add_last, add_after = groups.last.append, groups.after.append
    steps = symbols.steps
    first, last = band
    count, width = history.shape
    places = np.broadcast_to(np.arange(first, last + 1, dtype=np.uint8), history.shape)
    zeros = places[~history].tobytes()  # of all blocks, one after the other
    at = block = 0
    while block < count:
        add_block(block)
        add_begin(at)
        end, run = -1, 1
        zero = width * block - corrections[block]
        zeros_end = width * (block + 1) - corrections[block + 1]
        # `at` is always `codes` + the coefficients up to here - those of them that are 0
        codes = at - first + zero
        found = first - 1
        while found < last:
            step = steps[at]
            skip = step >> 4 & 15
            if step & 15 == 1 or step & 0xFF == 0xF0:
                zero += skip
                if zero >= zeros_end:
                    raise BrokenJpegError("a coefficient lies outside its scan's band")
                found = zeros[zero]
                zero += 1
                if nonzero is not None and step & 1:
                    nonzero.append(block << 6 | found)
                codes += step >> 8
                at = codes + found + 1 - zero
            elif step and not step & 15:
                end = at
                after = at + (step >> 8) + skip
                at = after + last - found - (zeros_end - zero)
                if skip:
                    run = (1 << skip) + symbols.bits(after - skip, skip)
                    at += corrections[min(block + run, count)] - corrections[block + 1]
                break
            else:
                raise BrokenJpegError("it holds bits that are no code")
        add_last(end)
        add_after(at if end < 0 else after)
        block += run
    add_block(min(block, count))
    add_begin(at)
    return groups
