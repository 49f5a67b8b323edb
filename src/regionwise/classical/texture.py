"""Give a smooth fill the fine texture of the known region around it.

A network that is trained to be near the truth leaves out what it can't know: fine texture. Here the
hole gets it in tiles. Each tile looks for known places whose coarse surroundings resemble its own,
and takes over their high-pass signal, strongly textured ones only: the eye misses texture in gravel
or leaves, not in sky or skin. (The tiles are those of image quilting, Efros and Freeman 2001, the
blend keeps the variance as Heitz and Neyret's by-example noise does, 2018.)
"""

from __future__ import annotations

import numpy as np

from regionwise.arrays import Bools, Floats, Integers

_CELL = 4
"""Pixels of a side of the squares whose means are compared."""
_SURROUNDINGS = 5
"""Cells of a side of what is compared."""
_TILE = 16
"""Pixels of a side of what is taken over; neighbouring tiles overlap by half."""
_ALIKE = 8
"""Places that resemble a tile's: the third weakest of them is taken."""
_FAINT, _STRONG = 0.04, 0.08
"""Deviation of a high-pass signal from which on it is taken over, and at which fully so."""
_SIDE = 256
"""Pixels of a picture's longer side up to which these hold. A photo seen larger has less contrast
from pixel to pixel: they fall with the root of its side."""


def texture(picture: Floats, hole: Bools) -> Floats:
    """The signal that gives a smooth fill texture.

    Args:
        picture: H×W×3 in [0, 1], the hole filled.
        hole: H×W, True = filled.

    Returns:
        H×W×3 with mean near 0; 0 outside the hole, and where there is too little to take from.
    """
    nothing = np.zeros_like(picture)
    height, width = (side // _CELL * _CELL for side in hole.shape)
    if not hole.any() or min(height, width) < _TILE + _CELL:
        return nothing
    missing = _cells(hole[:height, :width].astype(np.float32)) > 0
    sources = _tile_centres(~missing)
    targets = _grid_over(missing)
    if len(sources) <= _ALIKE:
        return nothing
    signal = _high_pass(picture, ~hole)
    energy = _tile_means(_cells((signal**2).mean(axis=2)[:height, :width]), sources)
    around = _surroundings(_cells(picture[:height, :width]))
    contrast = min(1.0, (_SIDE / max(hole.shape)) ** 0.5)
    chosen, strength = _matches(around, sources, targets, energy / contrast**2)
    tiles = _laid(signal, targets, sources[chosen], strength)
    return np.where(hole[..., None], tiles, nothing)


def _matches(
    around: Floats, sources: Integers, targets: Integers, energy: Floats
) -> tuple[Integers, Floats]:
    """For each target a source that resembles it, and how much of its signal is wanted."""
    candidates = around[sources[:, 0], sources[:, 1]]
    wanted = around[targets[:, 0], targets[:, 1]]
    distance = (candidates**2).sum(axis=1) - 2 * wanted @ candidates.T
    alike = np.argpartition(distance, _ALIKE, axis=1)[:, :_ALIKE]
    weakest = np.argsort(energy[alike], axis=1)[:, _ALIKE // 4]
    chosen = np.take_along_axis(alike, weakest[:, None], axis=1)[:, 0]
    rise = np.clip((np.sqrt(energy[chosen]) - _FAINT) / (_STRONG - _FAINT), 0, 1)
    return chosen, (rise * rise * (3 - 2 * rise)).astype(np.float32)


def _laid(signal: Floats, targets: Integers, sources: Integers, strength: Floats) -> Floats:
    """Tiles of the signal, moved from sources to targets and added up at constant variance."""
    half = np.sin(np.pi * (np.arange(_TILE) + 0.5) / _TILE).astype(np.float32)
    window: Floats = (half[:, None] * half)[..., None]
    height, width = signal.shape[:2]
    total = np.zeros((height + 2 * _TILE, width + 2 * _TILE, 3), np.float32)
    power = np.zeros((*total.shape[:2], 1), np.float32)
    corner = _CELL // 2 - _TILE // 2
    for target, source, share in zip(
        (targets * _CELL + corner + _TILE).tolist(),
        (sources * _CELL + corner).tolist(),
        strength,
        strict=True,
    ):
        y, x = source
        place = slice(target[0], target[0] + _TILE), slice(target[1], target[1] + _TILE)
        power[place] += window**2
        if share > 0:
            total[place] += share * window * signal[y : y + _TILE, x : x + _TILE]
    inner = slice(_TILE, _TILE + height), slice(_TILE, _TILE + width)
    laid = total[inner] / np.sqrt(np.maximum(power[inner], np.float32(1e-6)))
    return np.asarray(laid, np.float32)


def _high_pass(picture: Floats, known: Bools) -> Floats:
    """The picture less its blur by a Gaussian of about one pixel, over known pixels alone."""
    weight = known[..., None].astype(np.float32)
    blurred = _blurred(np.concatenate([picture * weight, weight], axis=2))
    mean = blurred[..., :3] / np.maximum(blurred[..., 3:], np.float32(1e-3))
    return np.asarray((picture - mean) * weight, np.float32)


def _blurred(x: Floats) -> Floats:
    """[1, 4, 6, 4, 1]/16 along rows and columns; beyond the border lies nothing."""
    for axis in (0, 1):
        for _ in range(2):
            padded = np.pad(x, [(1, 1) if axis == a else (0, 0) for a in range(3)])
            length = x.shape[axis]
            left, right = (padded.take(range(s, s + length), axis) for s in (0, 2))
            x = (0.5 * x + 0.25 * (left + right)).astype(np.float32)
    return x


def _cells(x: Floats) -> Floats:
    """Means of squares of `_CELL`×`_CELL` pixels; sides must be multiples of it."""
    height, width = (side // _CELL for side in x.shape[:2])
    means: Floats = x.reshape(height, _CELL, width, _CELL, *x.shape[2:]).mean(axis=(1, 3))
    return means


def _surroundings(cells: Floats) -> Floats:
    """Rows×columns×(5·5·3): the cells round each cell."""
    edge = _SURROUNDINGS // 2
    padded = np.pad(cells, ((edge, edge), (edge, edge), (0, 0)), mode="symmetric")
    views = np.lib.stride_tricks.sliding_window_view(
        padded, (_SURROUNDINGS, _SURROUNDINGS), axis=(0, 1)
    )
    return views.reshape(*cells.shape[:2], -1)


def _tile_centres(known: Bools) -> Integers:
    """Cells, every other one, round which a whole tile is known; N×2."""
    reach = _TILE // 2 // _CELL
    inside = np.zeros_like(known)
    views = np.lib.stride_tricks.sliding_window_view(known, (2 * reach + 1, 2 * reach + 1))
    inside[reach:-reach, reach:-reach] = views.all(axis=(2, 3))
    inside[1::2] = inside[:, 1::2] = False
    return np.argwhere(inside)


def _grid_over(missing: Bools) -> Integers:
    """Cells, half a tile from each other, whose tiles together cover what is missing; N×2."""
    reach = _TILE // 2 // _CELL
    padded = np.pad(missing, reach)
    views = np.lib.stride_tricks.sliding_window_view(padded, (2 * reach + 1, 2 * reach + 1))
    return reach * np.argwhere(views[::reach, ::reach].any(axis=(2, 3)))


def _tile_means(cells: Floats, centres: Integers) -> Floats:
    """Mean over the cells of each tile."""
    reach = _TILE // 2 // _CELL
    views = np.lib.stride_tricks.sliding_window_view(cells, (2 * reach, 2 * reach))
    means: Floats = views[centres[:, 0] - reach, centres[:, 1] - reach].mean(axis=(1, 2))
    return means
