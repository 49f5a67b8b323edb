"""A file's Huffman tables, which grow when new blocks need symbols that they lack."""

from __future__ import annotations

from regionwise.arrays import Numbers
from regionwise.photos.jpeg_splice.errors import BrokenJpegError
from regionwise.photos.jpeg_splice.huffman import HuffmanTable
from regionwise.photos.jpeg_splice.structure import TablePlace, huffman_tables


class Tables:
    """The tables of a file by their place.

    A new symbol gets a code behind all others, so that what is already written with the table stays
    as it is.
    """

    def __init__(self, tables: dict[TablePlace, HuffmanTable]) -> None:
        self._original = tables
        self._tables = dict(tables)

    def get(self, place: TablePlace | None) -> HuffmanTable:
        """The table as it is now.

        Raises:
            BrokenJpegError: if the scan names none.
        """
        if place is None:
            raise BrokenJpegError("a scan lacks a Huffman table")
        return self._tables[place]

    def grown(self, place: TablePlace | None, symbols: Numbers) -> HuffmanTable:
        """The table with codes for these symbols, as far as there is room for them."""
        table = self.get(place)
        missing = table.missing(symbols)
        if missing and place is not None:
            table = self._tables[place] = table.extended(missing)
        return table

    def edits(self, data: bytes) -> list[tuple[int, int, bytes]]:
        """What to put instead of which bytes of the file, so that it holds the tables."""
        changed = {place.segment for place in self._tables if self._is_changed(place)}
        found = []
        for begin in sorted(changed):
            end = begin + 2 + int.from_bytes(data[begin + 2 : begin + 4], "big")
            payload = b""
            for number, (slot, _) in enumerate(huffman_tables(data[begin + 4 : end])):
                table = self._tables[TablePlace(begin, number)]
                payload += bytes([slot[0] << 4 | slot[1]]) + table.counts + table.symbols
            length = (len(payload) + 2).to_bytes(2, "big")
            found.append((begin, end, data[begin : begin + 2] + length + payload))
        return found

    def _is_changed(self, place: TablePlace) -> bool:
        return self._tables[place] is not self._original[place]
