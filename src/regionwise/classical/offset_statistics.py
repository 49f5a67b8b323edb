"""How a picture repeats itself: which offsets lead from known patches to patches like them.

In a row of windows, a fence or a tiled floor a few offsets stand out, and a fill that keeps to them
goes on with the row (He and Sun, Statistics of Patch Offsets for Image Completion, ECCV 2012).
There they are the only ones allowed; here all others cost more.
"""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from regionwise.arrays import Floats
from regionwise.classical.patch_search import PatchSearch

_ASKING, _ASKED = 3000, 12_000
"""Known patches that look for one like them, and among which they look."""
_BLOCK = 300
_FAR = 1 / 15
"""Share of the longer side from which on an offset counts: all patches resemble their next ones."""
_NEAREST = 6
"""Pixels from which on it counts at the least."""
_BLUR = 1.0
_FREE = 60
"""So many of the commonest offsets cost nothing."""


def offset_prices(search: PatchSearch, rng: np.random.Generator) -> Floats:
    """What a source costs by its offset, from 0 for the commonest to 1 for one that never occurs.

    Args:
        search: the known patches.
        rng: which of them ask.

    Returns:
        (2H+1)×(2W+1); the offset (0, 0) is in the middle.
    """
    grid, known = search.grid, search.known
    asking = known if len(known) <= _ASKING else rng.choice(known, _ASKING, replace=False)
    asked = known if len(known) <= _ASKED else rng.choice(known, _ASKED, replace=False)
    described = search.known_described(asked)
    squares = np.einsum("ij,ij->i", described, described)
    rows, columns = grid.rows_columns(asked)
    far = max(_NEAREST, max(grid.height, grid.width) * _FAR)
    counts = np.zeros((2 * grid.height + 1, 2 * grid.width + 1), np.float32)
    one, there = np.ones(len(asked)), np.square([rows, columns]).sum(axis=0)
    # Squared lengths of all offsets are one thin product; whole numbers, exact in float32.
    ends = np.stack([-2 * rows, -2 * columns, one, there]).astype(np.float32)
    for start in range(0, len(asking), _BLOCK):
        chunk = asking[start : start + _BLOCK]
        own_rows, own_columns = grid.rows_columns(chunk)
        one, here = np.ones(len(chunk)), np.square([own_rows, own_columns]).sum(axis=0)
        starts = np.stack([own_rows, own_columns, here, one], axis=1).astype(np.float32)
        distances = (-2 * search.known_described(chunk)) @ described.T
        distances += squares
        distances[starts @ ends < far**2] = np.inf
        nearest = distances.argmin(axis=1)
        place = rows[nearest] - own_rows + grid.height, columns[nearest] - own_columns + grid.width
        np.add.at(counts, place, 1)
    counts += counts[::-1, ::-1]  # there and back
    counts = ndimage.gaussian_filter(counts, _BLUR)
    common = np.partition(counts.ravel(), -_FREE)[-_FREE]
    prices: Floats = 1 - np.minimum(counts / max(float(common), 1e-6), 1)
    return prices
