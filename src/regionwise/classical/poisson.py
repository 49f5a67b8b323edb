"""Pictures from their differences between neighbours (Pérez et al., Poisson Image Editing, 2003).

What is seen in a picture is mostly its differences. Copies from several places, put side by side,
meet in steps; the picture with the copies' differences, and none of the steps, has no such seams.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from regionwise.arrays import Bools, Floats
from regionwise.classical.membrane import membrane_fill

_TOLERANCE, _MOST = 1e-4, 2000
"""Residual, as a share of the first one, at which a blend is done, and rounds at the most."""


def integrate(
    right: Floats,
    down: Floats,
    hole: Bools,
    picture: Floats,
    *,
    share: float = 0.0,
    tolerance: float = 1e-3,
    rounds: int = 150,
) -> Floats:
    """The picture in the hole whose differences between neighbours are nearest to wanted ones.

    Minimises Σ (u_q − u_p − d_pq)² over all neighbours p, q of which one at least is missing, and
    `share` · Σ (u_p − picture_p)² over the missing pixels p. Known pixels are as they are. Solved
    by conjugate gradients, from the picture on.

    Args:
        right: H×W×C, wanted difference from a pixel to its right neighbour; the last column means
            nothing.
        down: H×W×C, likewise to the one below.
        hole: H×W, True = missing.
        picture: H×W×C; in the hole, what the result is to be near to.
        share: what that counts beside the differences. 0.003 lets them decide over some 20 pixels.
        tolerance: residual at which it ends, as a share of the first one.
        rounds: of conjugate gradients at the most.

    Returns:
        H×W×C.
    """
    if not hole.any():
        return picture
    box = _box_of(hole)
    missing = hole[box][..., None].astype(np.float32)
    weight = _neighbours(np.ones_like(missing)) + np.float32(share)
    start = picture[box] * missing
    wanted = missing * (
        np.float32(share) * start
        + _neighbours(picture[box] * (1 - missing))
        + _divergence(right[box], down[box])
    )

    def applied(values: Floats) -> Floats:
        product: Floats = missing * (weight * values - _neighbours(values))
        return product

    result = picture.copy()
    solved = _conjugate_gradients(applied, wanted, start, weight, tolerance, rounds)
    result[box] = np.where(missing > 0, solved, result[box])
    return result


def poisson_blend(image: Floats, answer: Floats, hole: NDArray[np.bool_]) -> Floats:
    """The answer with its own differences between neighbours, and none across the hole's border.

    Minimises, over the pixels of the hole, Σ ((s_p − s_q) − (a_p − a_q))² for neighbours p, q in it
    and Σ (s_p − i_q)² for p in it and q known. What the answer holds where the photo is known is
    not looked at.

    Args:
        image: i, C×H×W.
        answer: a, C×H×W.
        hole: H×W.

    Returns:
        C×H×W: s in the hole, the image elsewhere; the answer itself if nothing is known.
    """
    if hole.all() or not hole.any():
        return answer
    filled = np.where(hole, answer, image).transpose(1, 2, 0)
    right, down = np.zeros_like(filled), np.zeros_like(filled)
    across, along = hole[:, 1:] & hole[:, :-1], hole[1:] & hole[:-1]
    right[:, :-1] = np.diff(filled, axis=1) * across[..., None]
    down[:-1] = np.diff(filled, axis=0) * along[..., None]
    start = filled + hole[..., None] * _lacking(image, answer, hole).transpose(1, 2, 0)
    result: Floats = integrate(
        right, down, hole, start, tolerance=_TOLERANCE, rounds=_MOST
    ).transpose(2, 0, 1)
    return result


def _box_of(hole: Bools) -> tuple[slice, slice]:
    """The hole's bounding box with a pixel more on each side, within the picture."""
    rows, columns = (np.flatnonzero(hole.any(axis=axis)) for axis in (1, 0))
    return (
        slice(max(0, int(rows[0]) - 1), int(rows[-1]) + 2),
        slice(max(0, int(columns[0]) - 1), int(columns[-1]) + 2),
    )


def _neighbours(values: Floats) -> Floats:
    """The sum of each pixel's neighbours, as many as there are."""
    total = np.zeros_like(values)
    total[1:] += values[:-1]
    total[:-1] += values[1:]
    total[:, 1:] += values[:, :-1]
    total[:, :-1] += values[:, 1:]
    return total


def _divergence(right: Floats, down: Floats) -> Floats:
    """What the wanted differences to its neighbours ask of each pixel."""
    total = np.zeros_like(right)
    total[:, 1:] += right[:, :-1]
    total[:, :-1] -= right[:, :-1]
    total[1:] += down[:-1]
    total[:-1] -= down[:-1]
    return total


def _conjugate_gradients(
    applied: Callable[[Floats], Floats],
    wanted: Floats,
    start: Floats,
    weight: Floats,
    tolerance: float,
    rounds: int,
) -> Floats:
    """Solve for each channel, H×W×C; the weight is the system's diagonal."""

    def dot(a: Floats, b: Floats) -> Floats:
        total: Floats = np.einsum("hwc,hwc->c", a, b)
        return total

    inverse: Floats = np.reciprocal(np.maximum(weight, np.float32(1)))
    values, residual = start.copy(), wanted - applied(start)
    scaled = residual * inverse
    direction, size = scaled.copy(), dot(residual, scaled)
    enough = tolerance**2 * size
    for _ in range(rounds):
        if np.all(size <= enough):
            break
        product = applied(direction)
        step = size / np.maximum(dot(direction, product), np.float32(1e-20))
        values += step * direction
        residual -= step * product
        scaled = residual * inverse
        before, size = size, dot(residual, scaled)
        direction = scaled + (size / np.maximum(before, np.float32(1e-20))) * direction
    return values


def _lacking(image: Floats, answer: Floats, hole: NDArray[np.bool_]) -> Floats:
    """The membrane through what the border lacks: nearly the solution."""
    from scipy.ndimage import binary_dilation

    ring = binary_dilation(hole) & ~hole
    inner = membrane_fill(answer[None], (~hole)[None, None].astype(np.float32))[0]
    lacking = (image - inner)[None]
    filled = membrane_fill(lacking, (~ring)[None, None].astype(np.float32))
    membrane: Floats = filled[0]
    return membrane
