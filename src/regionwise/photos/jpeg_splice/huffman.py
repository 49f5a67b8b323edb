"""Huffman tables as a JPEG's DHT segments give them. Source: ITU-T T.81, annexes C and F.2.2."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from regionwise.arrays import Numbers
from regionwise.photos.jpeg_splice.errors import BrokenJpegError

LONGEST = 16  # bits of a code


@dataclass(frozen=True)
class HuffmanTable:
    """A canonical prefix code.

    Attributes:
        counts: how many codes there are of 1, 2 ... 16 bits.
        symbols: what the codes mean, the shortest code first.

    Raises:
        BrokenJpegError: if there are more codes than their lengths have room for.
    """

    counts: bytes
    symbols: bytes

    def __post_init__(self) -> None:
        if len(self.counts) != LONGEST or sum(self.counts) != len(self.symbols):
            raise BrokenJpegError("a Huffman table has another number of symbols than it says")
        if self.room < -1:  # all ones is forbidden, but encoders have used it
            raise BrokenJpegError("a Huffman table has more codes than fit")

    @property
    def room(self) -> int:
        """How many codes of 16 bits can be added; "all ones" is forbidden (T.81, C.2)."""
        taken = sum(count << (LONGEST - bits) for bits, count in enumerate(self.counts, start=1))
        return (1 << LONGEST) - 1 - taken

    @cached_property
    def codes(self) -> tuple[Numbers, Numbers]:
        """The code and its length of each symbol, 256 each; a symbol without a code has length 0.

        Of a symbol with two codes the shorter is taken.
        """
        codes, lengths = np.zeros(256, np.int64), np.zeros(256, np.int64)
        code = at = 0
        for bits, count in enumerate(self.counts, start=1):
            for symbol in self.symbols[at : at + count]:
                if not lengths[symbol]:
                    codes[symbol], lengths[symbol] = code, bits
                code += 1
            at += count
            code <<= 1
        return codes, lengths

    @cached_property
    def lookup(self) -> tuple[Numbers, Numbers]:
        """For each window of 16 bits the symbol that it begins with and its code's length.

        The length is 0 where no code fits.
        """
        widths = [
            1 << (LONGEST - bits) for bits, count in enumerate(self.counts, 1) for _ in range(count)
        ]
        bits = [bits for bits, count in enumerate(self.counts, 1) for _ in range(count)]
        taken = min(sum(widths), 1 << LONGEST)
        symbols, lengths = (
            np.zeros(1 << LONGEST, np.int64),
            np.zeros(1 << LONGEST, np.int64),
        )
        symbols[:taken] = np.repeat(np.frombuffer(self.symbols, np.uint8), widths)[:taken]
        lengths[:taken] = np.repeat(np.array(bits, np.int64), widths)[:taken]
        return symbols, lengths

    def missing(self, symbols: Numbers) -> list[int]:
        """Those of some symbols that have no code, each once."""
        present = np.unique(symbols)
        return [int(symbol) for symbol in present if not self.codes[1][symbol]]

    def extended(self, symbols: list[int]) -> HuffmanTable:
        """The same codes, and one of 16 bits for each new symbol, as far as there is room."""
        new = bytes(symbols[: max(0, self.room)])
        counts = bytes([*self.counts[:-1], min(255, self.counts[-1] + len(new))])
        new = new[: counts[-1] - self.counts[-1]]
        return HuffmanTable(counts, self.symbols + new)
