"""Holes grown by a cellular automaton, in two ways."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageFilter
from scipy.ndimage import binary_dilation, median_filter

from regionwise.arrays import Mask
from regionwise.holes.ratio import Ratio, Size, draw_count, own_ratio, settle

_CHANCE = 0.49
"""Of a cell of `aim_automaton` to be missing at the start."""


def cellular_automaton(size: Size, rng: np.random.Generator, ratio: Ratio | None = None) -> Mask:
    """Caves of a cellular automaton, as in the AIM 2020 inpainting challenge (Ntavelis et al.).

    Cells start missing by chance; in each step a missing cell stays so with at least 4 missing ones
    of its 8 neighbours, a known one turns with at least 5. Both say "5 of the 9 cells of the
    window", which is a median filter, and a median commutes with a threshold: the steps run once
    on grey noise, and the histogram then tells which chance at the start gives the wanted share.
    The challenge's report gives neither the cells' size nor the number of steps; here a cell has
    1/128 to 1/32 of the short side, and there are 2 to 5 steps.

    Args:
        size: height and width of the picture.
        rng: where chance comes from.
        ratio: interval (low, high] of the share of missing pixels; (0.1, 0.6] by default.
    """
    height, width = size
    ratio = own_ratio(size, ratio, (0.1, 0.6))
    cell = max(round(min(size) * 2 ** rng.uniform(-7, -5)), 1)
    grid = (-(-height // cell), -(-width // cell))
    levels = Image.fromarray(rng.integers(0, 256, grid, dtype=np.uint8))
    for _ in range(rng.integers(2, 6)):
        levels = levels.filter(ImageFilter.MedianFilter(3))
    cells = np.repeat(np.repeat(np.asarray(levels), cell, axis=0), cell, axis=1)[:height, :width]
    counts = np.cumsum(Image.fromarray(cells).histogram())
    aim = draw_count(rng, height * width, ratio)
    return settle(cells <= np.argmin(np.abs(counts - aim)), ratio)


def aim_automaton(size: Size, rng: np.random.Generator, ratio: Ratio | None = None) -> Mask:
    """Caves as the AIM 2020 challenge's own generator draws them, by what is known of it.

    Cells of 1, 2, 4 or 8 pixels start missing by chance; 2 to 6 steps of the automaton, all known
    beyond the border; then the hole grows by a pixel. About half of the picture is missing (0.52 on
    average, as there; the chance at the start is chosen for that) in holes with long borders:
    harder than `cellular_automaton`, which is drawn from the challenge's report alone.

    Args:
        size: height and width of the picture.
        rng: where chance comes from.
        ratio: interval (low, high] of the share of missing pixels; (0, 1] by default.
    """
    height, width = size
    cell = 2 ** int(rng.integers(0, 4))
    cells = rng.random((-(-height // cell), -(-width // cell))) < _CHANCE
    for _ in range(rng.integers(2, 7)):
        cells = median_filter(cells, 3, mode="constant", cval=False)
    mask: Mask = np.repeat(np.repeat(cells, cell, axis=0), cell, axis=1)[:height, :width]
    mask = binary_dilation(mask)
    return settle(mask, ratio or (0.0, 1.0))
