"""A progressive scan that gives each DC coefficient one more bit. Source: ITU-T T.81, G.1.2.1."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from regionwise.arrays import Bytes, Numbers
from regionwise.photos.jpeg_splice.bits import stuffed, unstuffed
from regionwise.photos.jpeg_splice.errors import BrokenJpegError
from regionwise.photos.jpeg_splice.geometry import Geometry
from regionwise.photos.jpeg_splice.scan import Blocks, Edit, Unwritable
from regionwise.photos.jpeg_splice.structure import Structure, intervals
from regionwise.photos.jpeg_splice.tables import Tables


class DcRefinement:
    """A scan of single bits; `touched` has for each component its touched blocks, ascending."""

    def __init__(
        self, data: bytes, structure: Structure, number: int, touched: Mapping[int, Numbers]
    ) -> None:
        self._data = data
        self._scan = structure.scans[number]
        self._geometry = Geometry(structure.frame, self._scan)
        self._bounds = intervals(data, self._scan, self._geometry.count)
        self._interval: dict[int, Numbers] = {}
        self._bit: dict[int, Numbers] = {}
        places = np.array(self._geometry.places)
        for order, component in enumerate(self._scan.components):
            blocks = touched[component]
            mcus = self._geometry.mcus(order, blocks)
            own = np.flatnonzero(places == order)
            place = own[(self._geometry.blocks(mcus)[:, own] == blocks[:, None]).argmax(axis=1)]
            self._interval[component] = mcus // self._geometry.interval
            self._bit[component] = mcus % self._geometry.interval * len(places) + place

    def _bits(self, part: int) -> Bytes:
        begin, end = self._bounds[part]
        return np.unpackbits(unstuffed(np.frombuffer(self._data, np.uint8)[begin:end]))

    def read_into(self, blocks: Blocks) -> None:
        """Put the bits of the touched blocks into N×64 of each component."""
        for component, part in self._interval.items():
            for one in np.unique(part):
                slots = np.flatnonzero(part == one)
                bits, at = self._bits(int(one)), self._bit[component][slots]
                if at.max() >= len(bits):
                    raise BrokenJpegError("it ends before its last block")
                blocks[component][slots, 0] |= bits[at].astype(np.int32) << self._scan.low

    def rewrite(self, blocks: Blocks, tables: Tables) -> tuple[list[Edit], list[Unwritable]]:
        """Write the scan with other touched blocks: what to put instead of which bytes."""
        edits: list[Edit] = []
        for one in np.unique(np.concatenate(list(self._interval.values()))):
            bits = self._bits(int(one))
            for component, part in self._interval.items():
                slots = np.flatnonzero(part == one)
                bits[self._bit[component][slots]] = (
                    blocks[component][slots, 0] >> self._scan.low & 1
                )
            begin, end = self._bounds[int(one)]
            edits.append((begin, end, stuffed(np.packbits(bits)).tobytes()))
        return edits, []
