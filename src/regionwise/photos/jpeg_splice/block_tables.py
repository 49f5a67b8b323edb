"""Tables that step through entropy-coded blocks without decoding them.

One step reads a window of 16 bits and leaps over all symbols that surely lie in it. A state is
256 × (place in the MCU) + u, where u is 0 before a DC coefficient and k + 1 after coefficient k of
the zigzag; u of 64 or more is the end of a block. Source: ITU-T T.81, F.2.2.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from regionwise.arrays import Bools, Numbers
from regionwise.photos.jpeg_splice.huffman import LONGEST, HuffmanTable

STRIDE = 256
END_OF_BLOCK = 64
INVALID = 128  # what u is raised by when bits are no code
_SAFE = 32  # up to this u a step may leap over several symbols,
_FARTHEST = 31  # so far, without passing the block's end
_WINDOWS = 1 << LONGEST
_Pair = tuple[HuffmanTable, HuffmanTable | None]


@dataclass(frozen=True)
class BlockTables:
    """How to step through the blocks of an MCU.

    Attributes:
        steps: rows of 65536 windows each: bits to skip + 32 × what to add to the state.
        row: where in `steps` a state's row begins.
        following: the state that a state becomes: itself, or the beginning of the next block.
        period: after how many blocks the tables repeat; places in the MCU are counted by it.
    """

    steps: Numbers
    row: Numbers
    following: Numbers
    period: int


@lru_cache(8)
def block_tables(pattern: tuple[_Pair, ...]) -> BlockTables:
    """Make the tables for an MCU whose blocks have these (DC, AC) tables.

    Without an AC table a block ends behind its DC coefficient, as in a progressive scan.
    """
    count = len(pattern)
    period = next(
        size
        for size in range(1, count + 1)
        if count % size == 0 and pattern == pattern[:size] * (count // size)
    )
    pairs = list(dict.fromkeys(pattern[:period]))
    row = np.empty((period, STRIDE), np.int64)
    following = np.arange(period * STRIDE).reshape(period, STRIDE)
    for place, pair in enumerate(pattern[:period]):
        begin, several, one = 3 * _WINDOWS * pairs.index(pair) + _WINDOWS * np.arange(3)
        row[place] = one
        row[place, : _SAFE + 1] = several
        row[place, 0] = begin
        following[place, END_OF_BLOCK:] = (place + 1) % period * STRIDE
    steps = np.concatenate([_rows(*pair) for pair in pairs])
    return BlockTables(steps, row.ravel(), following.ravel(), period)


@dataclass(frozen=True)
class _Symbols:
    """For each window its first AC symbol: code length (0: none), all bits, step and kind."""

    code: Numbers
    bits: Numbers
    advance: Numbers
    is_end: Bools


def _rows(dc: HuffmanTable, ac: HuffmanTable | None) -> Numbers:
    """Three rows: before a DC coefficient, several AC symbols at once, and one of them."""
    sizes, dc_code = dc.lookup
    good = (dc_code > 0) & (sizes < 16)
    if ac is None:
        row = np.where(good, dc_code + sizes + 32 * END_OF_BLOCK, 1 + 32 * INVALID)
        return np.tile(row, 3)
    values, code = ac.lookup
    size = values & 15
    is_end = (size == 0) & (values != 0xF0)
    advance = np.where(is_end, END_OF_BLOCK, (values >> 4) + 1)
    invalid = 1 + 32 * INVALID
    symbols = _Symbols(code, code + size, advance, is_end)
    one = np.where(code > 0, symbols.bits + 32 * advance, invalid)
    several = _leap(symbols.bits, advance, (code > 0) & ~is_end, symbols)
    begin = _leap(dc_code + sizes, np.ones_like(sizes), good, symbols)
    return np.concatenate(
        [np.where(good, begin, invalid), np.where(code > 0, several, invalid), one]
    )


def _leap(bits: Numbers, advance: Numbers, going: Bools, symbols: _Symbols) -> Numbers:
    """Let AC symbols follow what was read, as long as their codes lie within the window."""
    bits, advance = bits.copy(), advance.copy()
    window = np.flatnonzero(going & (bits < LONGEST))
    while len(window):
        rest = window << bits[window] & (_WINDOWS - 1)
        code, is_end, further = symbols.code[rest], symbols.is_end[rest], symbols.advance[rest]
        fits = (code > 0) & (bits[window] + code <= LONGEST)
        fits &= is_end | (advance[window] + further <= _FARTHEST)
        inside = window[fits]
        bits[inside] += symbols.bits[rest[fits]]
        advance[inside] += further[fits]
        window = inside[~is_end[fits] & (bits[inside] < LONGEST)]
    return bits + 32 * advance
