"""Poisson blending (Pérez et al., SIGGRAPH 2003): an answer's details on the photo's own light.

A smooth correction is added to an answer, so that answer and photo meet at the hole's border.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from regionwise.arrays import Floats
from regionwise.classical.membrane import membrane_fill

_NEIGHBOURS = ((0, 1), (1, 0), (0, -1), (-1, 0))


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
    from scipy.sparse import coo_array, diags  # not before it is needed: it takes long to import
    from scipy.sparse.linalg import cg

    # s = a + c: c is harmonic in the hole, and i − a in the mean over a border pixel's neighbours.
    number = np.full(hole.shape, -1)
    number[hole] = np.arange(hole.sum())
    degree = np.zeros(hole.sum())
    steps = np.zeros((len(answer), hole.sum()))
    pairs = []
    for down, right in _NEIGHBOURS:
        here, there = _shifted(hole.shape, down, right)
        inside, known = hole[here] & hole[there], hole[here] & ~hole[there]
        pairs.append((number[here][inside], number[there][inside]))
        degree[number[here][inside | known]] += 1  # each pixel once in one direction
        border = image[:, there[0], there[1]] - answer[:, here[0], here[1]]
        steps[:, number[here][known]] += border[:, known]
    first, second = (np.concatenate(indices) for indices in zip(*pairs, strict=True))
    size = (len(degree), len(degree))
    system = diags(degree) - coo_array((np.ones(len(first)), (first, second)), size).tocsr()
    inverse_diagonal = diags(1 / np.maximum(degree, 1))
    result = np.where(hole, answer, image)
    start = _start(image, answer, hole)
    for channel, right_side in enumerate(steps):
        correction, _ = cg(
            system, right_side, x0=start[channel], rtol=1e-5, maxiter=2000, M=inverse_diagonal
        )
        result[channel][hole] += correction.astype(np.float32)
    return result


def _shifted(shape: tuple[int, ...], down: int, right: int) -> tuple[tuple[slice, slice], ...]:
    """Slices of the pixels that have a neighbour there, and of these neighbours."""

    def pair(step: int, length: int) -> tuple[slice, slice]:
        return slice(max(-step, 0), length - max(step, 0)), slice(
            max(step, 0), length + min(step, 0)
        )

    rows, columns = pair(down, shape[0]), pair(right, shape[1])
    return (rows[0], columns[0]), (rows[1], columns[1])


def _start(image: Floats, answer: Floats, hole: NDArray[np.bool_]) -> Floats:
    """The membrane through what the border lacks: nearly the solution."""
    from scipy.ndimage import binary_dilation

    ring = binary_dilation(hole) & ~hole
    inner = membrane_fill(answer[None], (~hole)[None, None].astype(np.float32))[0]
    lacking = (image - inner)[None]
    filled: Floats = membrane_fill(lacking, (~ring)[None, None].astype(np.float32))
    return np.stack([channel[hole] for channel in filled[0]])
