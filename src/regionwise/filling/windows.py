"""Which crops of a photo to fill, and at what scale.

Near holes form a group. A group is cut into cores, and round each core lies a window with context,
which is what a network sees. The scale follows the hole's thickness (the largest circle inside it),
not its extent: a long scratch is filled at full resolution in overlapping windows; only a hole too
thick for the network's view is filled at a smaller scale.

All lengths derive from the view, the largest side that the network is given (512 pixels):
context is 1/8 of it, a core 6/8, and a hole may be 1/2 of it thick.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from regionwise.arrays import Bools

VIEW = 512


@dataclass(frozen=True)
class Window:
    """A rectangle of the photo, in photo pixels, and the size at which a network sees it.

    `rows` × `columns` equals `height` × `width` at full resolution and is smaller for a thick hole.
    """

    top: int
    left: int
    height: int
    width: int
    rows: int
    columns: int

    @property
    def slices(self) -> tuple[slice, slice]:
        """The window as an index into the photo."""
        return slice(self.top, self.top + self.height), slice(self.left, self.left + self.width)

    @property
    def shrunk(self) -> bool:
        """Whether the network sees it at a smaller scale."""
        return (self.rows, self.columns) != (self.height, self.width)


@dataclass(frozen=True)
class HoleGroup:
    """Holes that lie near each other, and the windows that together cover them.

    Attributes:
        top: first row of the group's bounding box in the photo.
        left: its first column.
        hole: the pixels of this group alone, cut to the bounding box.
        windows: each pixel of `hole` lies in at least one, with context round it.
    """

    top: int
    left: int
    hole: Bools
    windows: tuple[Window, ...]


def plan_windows(hole: Bools, view: int = VIEW) -> list[HoleGroup]:
    """Find the groups of holes and the windows to fill them in.

    A photo that fits the view is one window. Time and memory beyond a few passes over the mask
    follow the holes, not the photo.

    Args:
        hole: H×W, True = missing.
        view: the largest side a network is given, a multiple of 64.

    Returns:
        One item a group, none for an empty mask. Groups share no pixel.
    """
    if not hole.any():
        return []
    height, width = hole.shape
    if max(hole.shape) <= view:
        return [HoleGroup(0, 0, hole, (Window(0, 0, height, width, height, width),))]
    return [
        HoleGroup(top, left, part, tuple(_windows(hole, part, top, left, view)))
        for top, left, part in _groups(hole, view)
    ]


def _groups(hole: Bools, view: int) -> Iterator[tuple[int, int, Bools]]:
    """Top, left and pixels of each group: holes are near when they touch neighbouring cells."""
    top, left, part = cut_to_content(hole)
    if max(part.shape) <= _core(view):
        yield top, left, part
        return
    from scipy import ndimage  # takes longer to import than most photos take to fill

    cell = view // 8
    labels, _ = ndimage.label(_any_in_blocks(part, cell), structure=np.ones((3, 3)))
    for number, (rows, columns) in enumerate(ndimage.find_objects(labels), start=1):
        member = (labels[rows, columns] == number).repeat(cell, axis=0).repeat(cell, axis=1)
        y, x = rows.start * cell, columns.start * cell
        pixels = part[y : y + member.shape[0], x : x + member.shape[1]]
        down, right, cut = cut_to_content(pixels & member[: pixels.shape[0], : pixels.shape[1]])
        yield top + y + down, left + x + right, cut


def _windows(hole: Bools, part: Bools, top: int, left: int, view: int) -> Iterator[Window]:
    scale = _scale(hole, part, top, left, view)
    all_photo = max(hole.shape)
    core = _core(view) * scale if view * scale < all_photo else all_photo
    for rows in evenly(part.shape[0], core):
        for columns in evenly(part.shape[1], core):
            piece = part[rows, columns]
            if not piece.any():
                continue
            down, right, cut = cut_to_content(piece)
            y, height, seen_rows = _span(
                top + rows.start + down, cut.shape[0], hole.shape[0], scale, view
            )
            x, width, seen_columns = _span(
                left + columns.start + right, cut.shape[1], hole.shape[1], scale, view
            )
            yield Window(y, x, height, width, seen_rows, seen_columns)


def _core(view: int) -> int:
    return view - 2 * (view // 8)


def evenly(extent: int, longest: float) -> list[slice]:
    """Cut an extent into equal parts, none longer than `longest`."""
    count = int(np.ceil(extent / longest))
    edges = [extent * number // count for number in range(count + 1)]
    return [slice(start, stop) for start, stop in pairwise(edges)]


def _span(start: int, extent: int, photo: int, scale: float, view: int) -> tuple[int, int, int]:
    """Start and length in photo pixels, and length as seen, of a window round an extent.

    Sides come in three sizes, so that windows of one size can go through a network together.
    """
    sizes = (view // 2, view * 3 // 4, view)
    wanted = extent / scale + max(extent / scale, 2 * (view // 8))
    seen = next((size for size in sizes if size >= wanted), view)
    length = round(seen * scale)
    if length >= photo:
        return 0, photo, min(photo, max(1, round(photo / scale)))
    middle = start + extent // 2
    return min(max(0, middle - length // 2), photo - length), length, seen


def _scale(hole: Bools, part: Bools, top: int, left: int, view: int) -> float:
    """How many photo pixels make one that the network sees, at least 1."""
    thickest = view / 2
    if _thickness_bound(hole, part, top, left) <= thickest:
        return 1.0
    scale = hole_thickness(hole, part, top, left, step=view // 64) / thickest
    if scale <= 1:
        return 1.0
    # Resolution is lost anyway: lose a little more if all the hole then fits into one window.
    one_window = float(max(part.shape) / _core(view))
    scale = one_window if scale < one_window <= 1.5 * scale else scale
    return max(
        1.0, min(scale, float(max(hole.shape) / view))
    )  # never smaller than to show all the photo


def _thickness_bound(hole: Bools, part: Bools, top: int, left: int) -> float:
    """What the thickness can't exceed, from the bounding box alone."""
    bounds = []
    for start, extent, photo in zip((top, left), part.shape, hole.shape, strict=True):
        open_sides = (start == 0) + (start + extent == photo)
        bounds.append((extent, 2 * extent, np.inf)[open_sides])
    return float(min(bounds))


def hole_thickness(hole: Bools, part: Bools, top: int, left: int, step: int = 8) -> float:
    """Diameter of the largest circle in the hole, in pixels, measured on a grid of `step` pixels.

    The photo's border is no known pixel: a hole along it counts as twice as thick.
    A hole that covers the whole photo is as thick as twice the photo's longer side.
    """
    from scipy import ndimage

    height, width = part.shape
    rows = slice(max(0, top - step), top + height + step)
    columns = slice(max(0, left - step), left + width + step)
    missing = ~_any_in_blocks(~hole[rows, columns], step)
    if missing.all():
        return 2.0 * float(max(hole.shape))
    radius = float(ndimage.distance_transform_edt(missing).max())
    return 2.0 * step * radius


def _any_in_blocks(flags: Bools, size: int) -> Bools:
    """Whether a block of size×size holds a True; blocks at the end may be smaller."""
    height, width = flags.shape
    rows: Bools = np.logical_or.reduceat(flags, np.arange(0, height, size), axis=0)
    blocks: Bools = np.logical_or.reduceat(rows, np.arange(0, width, size), axis=1)
    return blocks


def cut_to_content(flags: Bools) -> tuple[int, int, Bools]:
    """Top and left of the bounding box of the True pixels, and what lies in it."""
    rows = np.flatnonzero(flags.any(axis=1))
    columns = np.flatnonzero(flags[rows[0] : rows[-1] + 1].any(axis=0))
    top, left = int(rows[0]), int(columns[0])
    return top, left, flags[top : rows[-1] + 1, left : columns[-1] + 1]
