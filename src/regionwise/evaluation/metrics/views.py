"""The part of a picture that is looked at to judge a fill."""

from __future__ import annotations

import numpy as np

from regionwise.arrays import Mask

HoleView = tuple[slice, slice]
"""Rows and columns."""


def view_of_hole(hole: Mask, least: int = 0) -> HoleView:
    """The hole's bounding box with half its longer side more on each side.

    What a person looks at who judges a fill: so a small hole in a large photo counts like any.

    Args:
        hole: H×W; of one without a missing pixel all is seen.
        least: pixels more on each side, where half the longer side is fewer.
    """
    rows, columns = (np.flatnonzero(hole.any(axis=axis)) for axis in (1, 0))
    if not len(rows):
        return slice(0, hole.shape[0]), slice(0, hole.shape[1])
    margin = max(int(np.ptp(rows)) // 2, int(np.ptp(columns)) // 2, least)
    return (
        slice(max(0, int(rows[0]) - margin), min(int(rows[-1]) + margin + 1, hole.shape[0])),
        slice(max(0, int(columns[0]) - margin), min(int(columns[-1]) + margin + 1, hole.shape[1])),
    )
