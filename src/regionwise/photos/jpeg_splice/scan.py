"""What each kind of scan offers: to read its touched blocks and to write it with others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from regionwise.arrays import Numbers
from regionwise.photos.jpeg_splice.tables import Tables

#: For each component its touched blocks, N×64 in zigzag order.
Blocks = dict[int, npt.NDArray[np.int32]]
#: First byte, byte behind the last one, what to put there instead.
Edit = tuple[int, int, bytes]


@dataclass(frozen=True, eq=False)
class Unwritable:
    """Coefficients for which a scan's table has no code and no room.

    Attributes:
        component: index into the frame's.
        slot: which of its touched blocks.
        k: which coefficient in zigzag order.
    """

    component: int
    slot: Numbers
    k: Numbers


class Scan(Protocol):
    """One pass over some planes."""

    def read_into(self, blocks: Blocks) -> None:
        """Put what the scan holds of the touched blocks into them."""

    def rewrite(self, blocks: Blocks, tables: Tables) -> tuple[list[Edit], list[Unwritable]]:
        """Write the scan with other touched blocks.

        Returns:
            What to put instead of which bytes of the file, and what can't be written; if there is
            such, the edits don't count.
        """
