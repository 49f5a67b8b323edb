"""Does a fill look like its photo? Patches against the known surroundings, and the seam.

Neither needs a network, and neither asks for the truth pixel by pixel: a blurred fill is near the
truth and unnatural, a good synthesis the other way round.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from regionwise.arrays import Floats, Mask
from regionwise.evaluation.metrics.metric import FilledPicture, Picture, Score

SIDE = 7
"""Pixels of a side of the patches that are compared."""
MARGIN = 96
"""Pixels round the hole's bounding box among which the nearest patch is looked for."""
_TARGETS, _SOURCES = 1000, 30_000
"""Patches of the fill, and of the surroundings, that are compared at most."""
_CHUNK = 250
_BAND = 4
"""Pixels on each side of the border whose differences a seam is measured against."""


def patch_distance(picture: Picture, hole: Mask, seed: int = 0) -> float:
    """Mean root-mean-square distance of the hole's patches to their nearest known patch.

    The patches have 7×7 pixels and lie with their centre in the hole; the known ones lie wholly in
    the known region within 96 pixels of the hole's bounding box. Of many patches a sample is taken,
    the same one for each picture of a size and hole.

    Args:
        picture: C×H×W in [0, 1].
        hole: H×W, True = was missing.
        seed: of the sample.

    Returns:
        In [0, 1]; NaN without a patch in the hole or a known one.
    """
    rows, columns = (np.flatnonzero(hole.any(axis=axis)) for axis in (1, 0))
    if not len(rows):
        return math.nan
    box = tuple(
        slice(max(0, places[0] - MARGIN), places[-1] + 1 + MARGIN) for places in (rows, columns)
    )
    part = np.ascontiguousarray(picture[:, box[0], box[1]], np.float32)
    missing = hole[box]
    if min(missing.shape) < SIDE:
        return math.nan
    views = np.lib.stride_tricks.sliding_window_view(part, (SIDE, SIDE), axis=(1, 2))
    lacking = np.lib.stride_tricks.sliding_window_view(missing, (SIDE, SIDE))
    rng = np.random.default_rng(seed)
    targets = _some(lacking[:, :, SIDE // 2, SIDE // 2], _TARGETS, rng)
    sources = _some(~np.any(lacking, axis=(2, 3), keepdims=False), _SOURCES, rng)
    if not len(targets) or not len(sources):
        return math.nan
    wanted, known = (
        views[:, places[:, 0], places[:, 1]].transpose(1, 0, 2, 3).reshape(len(places), -1)
        for places in (targets, sources)
    )
    return float(np.sqrt(_nearest(wanted, known) / wanted.shape[1]).mean())


def naturalness(truth: Picture, answer: Picture, hole: Mask) -> float:
    """`patch_distance` of the answer over the truth's: 1 natural, less flat, more alien."""
    own = patch_distance(truth, hole)
    return patch_distance(answer, hole) / own if own > 0 else math.nan


def seam(picture: Picture, hole: Mask) -> float:
    """Mean step across the hole's border over the mean step beside it; 1 = no seam is seen.

    Steps are absolute differences of neighbours, all channels. Those across the border have one end
    in the hole; those beside it have both ends on one side, within 4 pixels of the border.

    Args:
        picture: C×H×W.
        hole: H×W.

    Returns:
        NaN where there is no border, or no step beside it.
    """
    from scipy.ndimage import binary_dilation, binary_erosion

    cross = np.ones((3, 3), bool)
    band = binary_dilation(hole, cross, _BAND) & ~binary_erosion(hole, cross, _BAND, border_value=1)
    across, beside = [], []
    for axis in (0, 1):
        before = tuple(slice(None, -1) if a == axis else slice(None) for a in (0, 1))
        after = tuple(slice(1, None) if a == axis else slice(None) for a in (0, 1))
        step = np.abs(np.diff(picture.astype(np.float64), axis=axis + 1)).mean(axis=0)
        border = hole[before] != hole[after]
        across.append(step[border])
        beside.append(step[~border & band[before] & band[after]])
    steps, usual = np.concatenate(across), np.concatenate(beside)
    if not steps.size or not usual.size or usual.mean() == 0:
        return math.nan
    return float(steps.mean() / usual.mean())


def _some(wanted: Mask, most: int, rng: np.random.Generator) -> NDArray[np.intp]:
    """Rows and columns of the True places, N×2, a sample where there are more than `most`."""
    places = np.argwhere(wanted)
    if len(places) <= most:
        return places
    return places[np.sort(rng.choice(len(places), most, replace=False))]


def _nearest(wanted: Floats, known: Floats) -> NDArray[np.float64]:
    """Squared distance of each wanted patch to its nearest known one."""
    mean = known.mean(axis=0)  # less rounding where numbers are small
    wanted, known = wanted - mean, known - mean
    squares = np.einsum("ij,ij->i", known, known)
    nearest = np.empty(len(wanted), np.intp)
    for start in range(0, len(wanted), _CHUNK):
        chunk = slice(start, start + _CHUNK)
        nearest[chunk] = (squares - 2 * wanted[chunk] @ known.T).argmin(axis=1)
    difference = (wanted - known[nearest]).astype(np.float64)
    return np.asarray(np.einsum("ij,ij->i", difference, difference))


class Naturalness:
    """`naturalness`: how the fill's patches lie to the known ones, over how the truth's lie.

    NaN where the hole has no patch, nothing round it is known, or the truth repeats exactly.
    """

    scores = (Score("naturalness", "Patch naturalness (median)", "near 1", median=True),)

    def measure(self, filled: FilledPicture) -> Mapping[str, float]:
        """See `Metric`."""
        wide = filled.wider or filled
        return {"naturalness": naturalness(wide.truth, wide.answer, wide.hole)}


class Seam:
    """`seam`; NaN where the hole has no border, or nothing varies beside it."""

    scores = (Score("seam", "Seam (median)", "near 1", median=True),)

    def measure(self, filled: FilledPicture) -> Mapping[str, float]:
        """See `Metric`."""
        wide = filled.wider or filled
        return {"seam": seam(wide.answer, wide.hole)}
