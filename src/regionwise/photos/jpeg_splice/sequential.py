"""Blocks of a sequential scan: read and written. Source: ITU-T T.81, F.1.2 and F.2.2."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from regionwise.arrays import Numbers
from regionwise.photos.jpeg_splice.errors import BrokenJpegError
from regionwise.photos.jpeg_splice.huffman import HuffmanTable

END, SIXTEEN_ZEROS = 0x00, 0xF0


def read_dc(view: Numbers, positions: Numbers, table: HuffmanTable) -> tuple[Numbers, Numbers]:
    """Read the DC differences of blocks.

    Args:
        view: `bits.windows` of the bytes.
        positions: bits where the blocks begin.

    Returns:
        The differences, and where the bits behind them begin.

    Raises:
        BrokenJpegError: for bits that are no code.
    """
    symbols, lengths = table.lookup
    window = _window(view, positions)
    size, code = symbols[window], lengths[window]
    if (code == 0).any() or (size > 15).any():
        raise BrokenJpegError("it holds bits that are no code")
    return _extended(_window(view, positions + code), size), positions + code + size


def read_blocks(
    view: Numbers,
    positions: Numbers,
    kinds: Numbers,
    tables: Sequence[tuple[HuffmanTable, HuffmanTable | None]],
) -> npt.NDArray[np.int32]:
    """Read blocks, all at once, a symbol of each at a time.

    Args:
        view: `bits.windows` of the bytes.
        positions: N bits where the blocks begin.
        kinds: N indices into `tables`.
        tables: pairs for DC and AC; None where a scan holds DC alone.

    Returns:
        N×64 in zigzag order; the first is the difference to the block before.

    Raises:
        BrokenJpegError: for bits that are no code.
    """
    blocks = np.zeros((len(positions), 64), np.int32)
    for kind, (dc, ac) in enumerate(tables):
        lane = np.flatnonzero(kinds == kind)
        blocks[lane, 0], at = read_dc(view, positions[lane], dc)
        if ac is None:
            continue
        symbols, lengths = ac.lookup
        k = np.zeros(len(lane), np.int64)
        while len(lane):
            window = _window(view, at)
            symbol, code = symbols[window], lengths[window]
            if (code == 0).any():
                raise BrokenJpegError("it holds bits that are no code")
            run, size = symbol >> 4, symbol & 15
            k = k + run + 1
            value = _extended(_window(view, at + code), size)
            some = (size > 0) & (k < 64)
            blocks[lane[some], k[some]] = value[some]
            at = at + code + size
            going = ((size > 0) | (symbol == SIXTEEN_ZEROS)) & (k < 63)
            lane, at, k = lane[going], at[going], k[going]
    return blocks


def _window(view: Numbers, positions: Numbers) -> Numbers:
    """The 16 bits from each position on."""
    at = np.minimum(positions >> 3, len(view) - 1)
    window: Numbers = view[at] >> (16 - (positions & 7)) & 0xFFFF
    return window


def _extended(window: Numbers, size: Numbers) -> Numbers:
    """The first `size` bits of windows as a signed number (T.81, F.2.2.1, EXTEND)."""
    bits = window >> (16 - size)
    return np.where(
        (size > 0) & (bits < 1 << np.maximum(size - 1, 0)), bits - (1 << size) + 1, bits
    )


@dataclass(frozen=True, eq=False)
class Symbols:
    """What blocks are written with, in order.

    Attributes:
        block: which block each belongs to.
        k: the coefficient that it leads to; 0 is DC, 64 the end of a block.
        value: the symbol.
        extra, size: bits behind it and how many.
    """

    block: Numbers
    k: Numbers
    value: Numbers
    extra: Numbers
    size: Numbers


def bit_length(values: npt.NDArray[np.integer]) -> Numbers:
    """Bits of the magnitude of each value; 0 for 0."""
    exponents: Numbers = np.frexp(np.abs(values).astype(np.float64))[1].astype(np.int64)
    return exponents


def extra_bits(values: npt.NDArray[np.integer], size: Numbers) -> Numbers:
    """The bits that tell a value within its size (T.81, F.1.2.1)."""
    wide = values.astype(np.int64)
    return np.where(wide < 0, wide + (1 << size) - 1, wide)


def symbols_of(blocks: npt.NDArray[np.int32]) -> Symbols:
    """The symbols of blocks, N×64 in zigzag order whose first is the DC difference."""
    size = bit_length(blocks[:, 0])
    count = len(blocks)
    everyone = np.arange(count)
    row, column = np.nonzero(blocks[:, 1:])
    column = column + 1
    before = np.zeros_like(column)
    before[1:] = np.where(row[1:] == row[:-1], column[:-1], 0)
    run = column - before - 1
    values = blocks[row, column]
    sizes = bit_length(values)
    longs = np.repeat(np.arange(len(row)), run // 16)
    last = np.zeros(count, np.int64)
    last[row] = column  # the last one counts, as they ascend
    short = np.flatnonzero(last < 63)
    of_zeros, of_values = row[longs] * 256 + 2 * column[longs], row * 256 + 2 * column + 1
    key = np.concatenate([everyone * 256, of_zeros, of_values, short * 256 + 128])
    order = np.argsort(key, kind="stable")
    nothing = np.zeros(len(longs), np.int64), np.zeros(len(short), np.int64)
    value = [size, nothing[0] + SIXTEEN_ZEROS, run % 16 << 4 | sizes, nothing[1] + END]
    extra = [extra_bits(blocks[:, 0], size), nothing[0], extra_bits(values, sizes), nothing[1]]
    return Symbols(
        block=(key >> 8)[order],
        k=((key & 255) >> 1)[order],
        value=np.concatenate(value)[order],
        extra=np.concatenate(extra)[order],
        size=np.concatenate([size, nothing[0], sizes, nothing[1]])[order],
    )
