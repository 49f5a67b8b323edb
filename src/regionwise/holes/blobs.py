"""Holes with wavy outlines: one, or many that lie apart (Region-wise papers, Tables 2 and 3)."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from scipy.ndimage import label

from regionwise.arrays import Mask
from regionwise.holes.ratio import Ratio, Size, draw_count, own_ratio, pixel_counts, settle

_TRIES = 8


def contiguous(size: Size, rng: np.random.Generator, ratio: Ratio | None = None) -> Mask:
    """One blob with a wavy outline, as when an object is taken out.

    Args:
        size: height and width of the picture.
        rng: where chance comes from.
        ratio: interval (low, high] of the share of missing pixels; (0.05, 0.4] by default.
    """
    height, width = size
    outline = star_outlines(rng, 1, vertices=72, waves=6)
    center = rng.uniform(0.15, 0.85, (1, 2)) * (width, height)
    return drawn_to_share(size, rng, own_ratio(size, ratio, (0.05, 0.4)), outline, center)


def discontiguous(size: Size, rng: np.random.Generator, ratio: Ratio | None = None) -> Mask:
    """Many blobs of several sizes, scattered over the picture.

    They keep apart while there is room: each has a cell of a grid for itself. Up to a share of 40 %
    there are two pieces at least, drawn anew if need be (in pictures large enough for them).

    Args:
        size: height and width of the picture.
        rng: where chance comes from.
        ratio: interval (low, high] of the share of missing pixels; (0.05, 0.4] by default.
    """
    ratio = own_ratio(size, ratio, (0.05, 0.4))
    for _ in range(_TRIES):
        mask = _scattered(size, rng, ratio)
        if ratio[1] > 0.4 or label(mask, np.ones((3, 3)))[1] > 1:
            break
    return mask


def _scattered(size: Size, rng: np.random.Generator, ratio: Ratio) -> Mask:
    height, width = size
    grid = int(rng.integers(3, 7))
    cells = rng.permutation(grid * grid)[: int(rng.integers(grid * grid // 2, grid * grid + 1))]
    outlines = star_outlines(rng, len(cells), vertices=32, waves=4)
    outlines *= np.exp(rng.normal(0, 0.4, (len(cells), 1, 1)))
    corners = np.stack([cells % grid, cells // grid], axis=1)
    place = corners + rng.uniform(0.1, 0.9, (len(cells), 2))
    return drawn_to_share(size, rng, ratio, outlines, place / grid * (width, height))


def star_outlines(
    rng: np.random.Generator, count: int, vertices: int, waves: int
) -> NDArray[np.float64]:
    """Star-shaped polygons about 0, of radius about 1: count × vertices × (x, y)."""
    turn = np.linspace(0, 2 * math.pi, vertices, endpoint=False)
    wave = np.arange(1, waves + 1)[:, None]
    amplitude = rng.normal(0, 0.35, (count, waves, 1)) / wave
    phase = rng.uniform(0, 2 * math.pi, (count, waves, 1))
    radius = np.exp((amplitude * np.cos(wave * turn + phase)).sum(axis=1))
    stretch = np.exp(rng.normal(0, 0.3, (count, 1)))
    return np.stack([radius * np.cos(turn) * stretch, radius * np.sin(turn) / stretch], axis=2)


def drawn_to_share(
    size: Size,
    rng: np.random.Generator,
    ratio: Ratio,
    outlines: NDArray[np.float64],
    centers: NDArray[np.float64],
) -> Mask:
    """Draw the outlines about their centers, all at the scale that gives the wanted share.

    The share grows with the square of the scale, less what falls outside or together: from a
    guess, each drawing tells the next one, held between the largest scale known to be too small
    and the smallest known to be too large.
    """
    pixels = size[0] * size[1]
    fewest, most = pixel_counts(pixels, ratio)
    aim = draw_count(rng, pixels, ratio)
    low, high = 0.0, math.inf
    scale = math.sqrt(aim / (3 * len(outlines)))
    for _ in range(24):
        canvas = Image.new("L", (size[1], size[0]))
        draw = ImageDraw.Draw(canvas)
        for polygon in np.rint(centers[:, None] + scale * outlines).astype(int):
            draw.polygon(polygon.ravel().tolist(), fill=1)
        count = canvas.histogram()[1]
        if fewest <= count <= most and abs(count - aim) <= 0.005 * pixels:
            break
        low, high = (scale, high) if count < aim else (low, scale)
        if high - low < 0.01:
            break
        guess = scale * math.sqrt(aim / max(count, 1))
        scale = guess if low < guess < high else min((low + high) / 2, 2 * scale)
    return settle(np.array(canvas, bool), ratio)
