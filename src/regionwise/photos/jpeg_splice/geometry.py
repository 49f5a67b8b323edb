"""Which block of which plane a scan holds where. Source: ITU-T T.81, A.2."""

from __future__ import annotations

import numpy as np

from regionwise.arrays import Numbers
from regionwise.photos.jpeg_splice.structure import Frame, ScanHeader


class Geometry:
    """The order of blocks in a scan.

    Attributes:
        places: for each block of an MCU the scan's component (0 is the first that it names).
        count: MCUs in the scan.
        interval: MCUs between restarts.
    """

    def __init__(self, frame: Frame, scan: ScanHeader) -> None:
        self._components = [frame.components[index] for index in scan.components]
        self._alone = len(self._components) == 1
        self._columns = self._components[0].columns if self._alone else frame.mcus[1]
        rows = self._components[0].rows if self._alone else frame.mcus[0]
        self.count = rows * self._columns
        self.interval = scan.restart or self.count
        sizes = [
            (1, 1) if self._alone else (one.vertical, one.horizontal) for one in self._components
        ]
        self._sizes = sizes
        self.places = [
            number for number, size in enumerate(sizes) for _ in range(size[0] * size[1])
        ]

    def blocks(self, mcus: Numbers) -> Numbers:
        """Indices into their planes' grids, row by row, of the blocks of MCUs: N×blocks."""
        row, column = np.divmod(mcus, self._columns)
        found = []
        for component, (down, across) in zip(self._components, self._sizes, strict=True):
            width = component.grid[1]
            found += [
                (row * down + j) * width + column * across + i
                for j in range(down)
                for i in range(across)
            ]
        return np.stack(found, axis=1)

    def mcus(self, number: int, blocks: Numbers) -> Numbers:
        """The MCUs in which blocks of the scan's component lie."""
        row, column = np.divmod(blocks, self._components[number].grid[1])
        down, across = self._sizes[number]
        mcus: Numbers = row // down * self._columns + column // across
        return mcus
