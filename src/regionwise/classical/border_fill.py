"""Fill a small hole from its border inwards, each pixel with the middle of the best known patch.

So lines that end at the hole go on into it (Newson et al., Video Inpainting of Complex Scenes, SIAM
Journal on Imaging Sciences 2014): the start of a synthesis, at its coarsest scale.
"""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from regionwise.arrays import Bools, Floats
from regionwise.classical.patch_search import RADIUS, Grid, Tick, known_patches

_SOURCES = 20_000
"""Patches among which is looked at most."""


def fill_from_border(picture: Floats, hole: Bools, rng: np.random.Generator, tick: Tick) -> Floats:
    """Fill ring after ring: a patch is compared where it is known or filled already.

    Args:
        picture: H×W×C; what it holds inside the hole is ignored.
        hole: H×W, True = missing; some patch must be known.
        rng: which patches are left out where there are too many.
        tick: called after each ring.

    Returns:
        H×W×C.
    """
    grid = Grid(*hole.shape)
    channels = picture.shape[2]
    padding = (RADIUS, RADIUS)
    pixels = np.pad(picture, (padding, padding, (0, 0)), mode="edge").reshape(-1, channels)
    there = np.pad(~hole, RADIUS, mode="edge")
    missing = np.pad(hole, RADIUS)
    sources = np.flatnonzero(np.pad(known_patches(hole), RADIUS))
    if len(sources) > _SOURCES:
        sources = rng.choice(sources, _SOURCES, replace=False)
    known = pixels[sources[:, None] + grid.shifts].reshape(len(sources), -1).T
    squares = known**2
    while (missing & ~there).any():
        ring = ndimage.binary_dilation(there, np.ones((3, 3))) & missing & ~there
        targets = np.flatnonzero(ring)
        around = targets[:, None] + grid.shifts
        weights = there.ravel()[around].repeat(channels, axis=1).astype(np.float32)
        patches = weights * pixels[around].reshape(len(targets), -1)
        nearest = (weights @ squares - 2 * patches @ known).argmin(axis=1)
        pixels[targets] = pixels[sources[nearest]]
        there |= ring
        tick()
    padded = pixels.reshape(-1, grid.stride, channels)
    filled: Floats = padded[RADIUS:-RADIUS, RADIUS:-RADIUS]
    return filled
