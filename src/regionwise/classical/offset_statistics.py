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
    rows, columns = (x.astype(np.int32) for x in grid.rows_columns(asked))
    far = max(_NEAREST, max(grid.height, grid.width) * _FAR)
    counts = np.zeros((2 * grid.height + 1, 2 * grid.width + 1), np.float32)
    for start in range(0, len(asking), _BLOCK):
        chunk = asking[start : start + _BLOCK]
        own_rows, own_columns = (x.astype(np.int32)[:, None] for x in grid.rows_columns(chunk))
        distances = squares - 2 * search.known_described(chunk) @ described.T
        down, right = rows - own_rows, columns - own_columns
        distances[down**2 + right**2 < far**2] = np.inf
        nearest = distances.argmin(axis=1)
        place = np.arange(len(chunk)), nearest
        np.add.at(counts, (down[place] + grid.height, right[place] + grid.width), 1)
    counts += counts[::-1, ::-1]  # there and back
    counts = ndimage.gaussian_filter(counts, _BLUR)
    common = np.partition(counts.ravel(), -_FREE)[-_FREE]
    prices: Floats = 1 - np.minimum(counts / max(float(common), 1e-6), 1)
    return prices
