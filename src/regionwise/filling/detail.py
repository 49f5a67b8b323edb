"""Give a thick hole the detail of the known region, at full resolution.

A network's fill of a thick hole is soft, and softer still where it was made at a smaller scale and
enlarged. Here it is only a guide. At a scale at which the hole is at most 160 pixels thick, patches
of the known region complete it (`regionwise.classical.patchmatch`), with an eye on the guide at the
coarsest levels. Then each pixel of the hole is copied, at full resolution, from where its patch
lies: this takes over the patches' detail, as contextual residual aggregation does with attention in
place of patches (Yi et al., Contextual Residual Aggregation for Ultra High-Resolution Image
Inpainting, CVPR 2020).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from regionwise.arrays import Bools, Floats, Integers, Pixels
from regionwise.classical.membrane import membrane_fill
from regionwise.filling.canvas import read_window
from regionwise.filling.windows import HoleGroup, Window, hole_thickness

_THICKNESS = 160
"""Pixels that a hole is thick at most where its patches are searched."""
_MISSING, _SEEN = 40_000, 600_000
"""Missing pixels, and pixels in all, that the search is given at most."""
_MARGIN = 32
"""Pixels that are seen round a hole beside once its thickness."""
_FEWEST = 0.25
"""Known patches for each missing one, below which a fill would only repeat itself."""
_SEAM = 2.0
"""Deviation of the Gaussian over which the copies' light is brought to that of the voted fill."""
_STEP = 0.05
"""Step in light at the border, in shares of white, that is spread over the hole at most."""
_SHARP = 4
"""The share of the view that a hole may be thick and still be filled by the network alone."""
_STRIP = 64


@dataclass
class _Nodes:
    """Of each pixel of the searched picture, where to copy from and how to shift the light.

    Attributes:
        weight: rows×columns, 0 where there is nothing to copy.
        shift: rows×columns×2, down and right to the source, in pixels of the searched picture.
        light: rows×columns×3, what is added to the copy.
    """

    weight: Floats
    shift: Integers
    light: Floats


def needs_detail(hole: Bools, group: HoleGroup, view: int) -> bool:
    """Whether a group's hole is so thick that a network's fill of it is soft."""
    thickest = view / _SHARP
    return (
        2 * min(group.hole.shape) > thickest  # along the photo's border it counts twice
        and hole_thickness(hole, group.hole, group.top, group.left) > thickest
    )


def with_detail(
    color: Pixels, hole: Bools, group: HoleGroup, filled: Pixels, seed: int = 0
) -> Pixels:
    """Fill a group's holes with the known region's detail, guided by a coarser fill.

    Args:
        color: H×W×3, the photo; it is not written to.
        hole: H×W, all holes of the photo.
        group: whose holes are filled.
        filled: the box of the group, with the guide in the group's holes.
        seed: of the random search.

    Returns:
        Likewise; `filled` itself where too little is known.
    """
    from regionwise.classical.patchmatch import (
        match,  # takes longer to import than most photos to fill
    )

    window = _surroundings(hole, group)
    image, mask = read_window(color, hole, window)
    picture, missing = np.ascontiguousarray(image.transpose(1, 2, 0)), mask[0] > 0.5
    guide = _guide(color, hole, group, filled, window)
    completed, found = match(picture, missing, guide, seed)
    if found is None or found.is_source.sum() < _FEWEST * missing.sum():
        return filled
    targets, sources = (
        np.stack(found.place(indices), axis=1) for indices in (found.targets, found.sources)
    )
    nodes = _nodes(completed, missing, targets, sources)
    return _copied(color, hole, group, filled, window, nodes)


def _surroundings(hole: Bools, group: HoleGroup) -> Window:
    """The group's box with as much round it as it is thick, and the scale of the search."""
    height, width = group.hole.shape
    thickness = hole_thickness(hole, group.hole, group.top, group.left)
    margin = _MARGIN + int(thickness)
    top, left = max(0, group.top - margin), max(0, group.left - margin)
    bottom = min(hole.shape[0], group.top + height + margin)
    right = min(hole.shape[1], group.left + width + margin)
    missing = int(hole[top:bottom, left:right].sum())
    height, width = bottom - top, right - left
    scale = max(
        1.0,
        thickness / _THICKNESS,
        float(np.sqrt(missing / _MISSING)),
        float(np.sqrt(height * width / _SEEN)),
    )
    rows, columns = (max(1, round(side / scale)) for side in (height, width))
    return Window(top, left, height, width, rows, columns)


def _guide(color: Pixels, hole: Bools, group: HoleGroup, filled: Pixels, window: Window) -> Floats:
    """The window with the group's holes filled as they are so far, other holes smoothly; R×C×3."""
    photo, others = color[window.slices].copy(), hole[window.slices].copy()
    top, left = group.top - window.top, group.left - window.left
    box = np.s_[top : top + group.hole.shape[0], left : left + group.hole.shape[1]]
    photo[box][group.hole] = filled[group.hole]
    others[box] &= ~group.hole
    here = Window(0, 0, window.height, window.width, window.rows, window.columns)
    image, mask = read_window(photo, others, here)
    smooth: Floats = membrane_fill(image[None], mask[None])[0]
    guide: Floats = np.ascontiguousarray(smooth.transpose(1, 2, 0))
    return guide


def _nodes(picture: Floats, missing: Bools, targets: Integers, sources: Integers) -> _Nodes:
    """Where to copy from, and how to shift the light of the copies so that no seam shows.

    The light is brought to that of the voted picture, which is smooth where two copies meet; and in
    the whole hole so far that copies of known pixels round it would be what they stand for.

    Args:
        picture: R×C×3, known or voted.
        missing: R×C.
        targets, sources: rows and columns of patches, N×2.
    """
    from scipy.ndimage import gaussian_filter

    place = targets[:, 0], targets[:, 1]
    weight = np.zeros(missing.shape, np.float32)
    weight[place] = 1
    shift = np.zeros((*missing.shape, 2), np.intp)
    shift[place] = sources - targets
    lacking = np.zeros_like(picture)
    lacking[place] = picture[place] - picture[sources[:, 0], sources[:, 1]]

    def smooth(values: Floats, share: Floats) -> Floats:
        blurred: Floats = gaussian_filter(values * share[..., None], (_SEAM, _SEAM, 0))
        blurred /= np.maximum(gaussian_filter(share, _SEAM)[..., None], np.float32(1e-3))
        return blurred

    ring = weight * ~missing
    step = np.clip(smooth(lacking, ring), -_STEP, _STEP).transpose(2, 0, 1)[None]
    across = membrane_fill(step, (ring < 1)[None, None].astype(np.float32))[0].transpose(1, 2, 0)
    return _Nodes(weight, shift, smooth(lacking + missing[..., None] * across, weight))


def _copied(
    color: Pixels, hole: Bools, group: HoleGroup, filled: Pixels, window: Window, nodes: _Nodes
) -> Pixels:
    """Copy each pixel of the hole by the shifts of the four nodes round it, mixed bilinearly.

    Where a shift leads into a hole that is too thin for the searched picture, it does not count;
    where none counts, the pixel stays as it is filled.
    """
    result: Pixels = filled.copy()
    highest = np.iinfo(color.dtype).max
    down, right = window.height / window.rows, window.width / window.columns
    for start in range(0, len(group.hole), _STRIP):
        ys, xs = np.nonzero(group.hole[start : start + _STRIP])
        ys += start
        at = ys + group.top, xs + group.left
        y, x = (at[0] + 0.5 - window.top) / down - 0.5, (at[1] + 0.5 - window.left) / right - 0.5
        total, weights = np.zeros((len(ys), 3), np.float32), np.zeros(len(ys), np.float32)
        for row, row_share in _two(y, window.rows):
            for column, column_share in _two(x, window.columns):
                shift = nodes.shift[row, column]
                source = (
                    np.clip(at[0] + np.rint(shift[:, 0] * down).astype(np.intp), 0, len(hole) - 1),
                    np.clip(
                        at[1] + np.rint(shift[:, 1] * right).astype(np.intp), 0, hole.shape[1] - 1
                    ),
                )
                weight = row_share * column_share * nodes.weight[row, column] * ~hole[source]
                copy = color[source] * np.float32(1 / highest) + nodes.light[row, column]
                total += weight[:, None] * copy
                weights += weight
        copied = weights > 0
        mean = np.clip(total[copied] / weights[copied, None], 0, 1)
        result[ys[copied], xs[copied]] = np.rint(mean * highest).astype(color.dtype)
    return result


def _two(position: NDArray[np.floating], length: int) -> tuple[tuple[Integers, Floats], ...]:
    """The two whole numbers next to each position, within the length, and their shares."""
    before = np.floor(position).astype(np.intp)
    share = (position - before).astype(np.float32)
    return (
        (np.clip(before, 0, length - 1), 1 - share),
        (np.clip(before + 1, 0, length - 1), share),
    )
