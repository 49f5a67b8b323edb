"""Give a hole the photo's own detail: a guided synthesis, copied, lit, and judged.

A network's fill of a thick hole is soft. It knows what is where, colours and light, and the known
region knows how that looks: so patches of the known region complete the hole, guided by the
network's fill (`regionwise.classical.synthesis`), its pixels are copied from where the patches lie
at full resolution (`regionwise.filling.light`), and where sources are few or fit badly the
network's fill stays (`regionwise.classical.judge`).

Everything that knows about windows of large photos is here; what it calls is pure. The search goes
by pieces: as much of a hole as it can look at in one picture without losing more resolution than
the hole's thickness takes anyway. A hole of usual size is one piece, a long scratch many.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from scipy.ndimage import map_coordinates

from regionwise.arrays import Bools, Floats, Pixels
from regionwise.classical.judge import belief, mixed
from regionwise.classical.membrane import membrane_fill
from regionwise.classical.progress import ReportProgress
from regionwise.classical.synthesis import Offsets, Synthesis, synthesize
from regionwise.engines.engine import Detail
from regionwise.filling.canvas import read_window
from regionwise.filling.light import copy_pixels, lit_copies
from regionwise.filling.windows import HoleGroup, Window, cut_to_content, evenly, hole_thickness

_THICKNESS = 160
"""Pixels that a hole is thick at most where its patches are searched."""
_MISSING, _SEEN = 40_000, 600_000
"""Missing pixels, and pixels in all, that the search is given at most."""
_SIDE = 384
"""Pixels of the side of a piece, as the search sees them, at the least."""
_MARGIN = 32
"""Pixels that are seen round a hole beside once its thickness."""
_WORSE, _NOISE = 3.0, 0.01
"""Sources of the frame before go when they fit so much worse, in misfit, than they did there."""
_BORDER = 4.0
"""Pixels inside the hole over which a synthesis fades in, as the search sees them."""


@dataclass(frozen=True)
class _Remembered:
    """Where a piece's pixels were copied from, and how badly that fitted."""

    offsets: Offsets
    misfit: float


@dataclass
class Series:
    """What one frame tells the next, so that a series of fills is steady.

    Where the same hole comes again, its pixels are copied from the same places, unless these have
    become far worse there than they were.
    """

    pieces: dict[Window, _Remembered] = field(default_factory=dict)


@dataclass(frozen=True)
class DetailOptions:
    """How detail is given.

    Attributes:
        detail: "judged" or "always".
        seed: of the random search.
        feather: photo pixels inside the hole over which the synthesis fades in; None for a few.
    """

    detail: Detail = "judged"
    seed: int = 0
    feather: float | None = None


def with_detail(
    color: Pixels,
    hole: Bools,
    group: HoleGroup,
    network: Pixels,
    options: DetailOptions,
    *,
    series: Series | None = None,
    progress: ReportProgress | None = None,
) -> Pixels:
    """Fill a group's holes with the known region's detail, guided by a network's fill.

    Args:
        color: H×W×3, the photo; it is not written to.
        hole: H×W, all holes of the photo.
        group: whose holes are filled.
        network: the box of the group with the network's fill, without texture added to it.
        options: how.
        series: what the frame before told, and is told in turn.
        progress: called many times with the share done, 0 to 1; what it raises ends the search.

    Returns:
        Likewise; `network` itself where too little is known.
    """
    pieces = list(_pieces(hole, group))
    canvas = _Canvas(color, hole, group, network)
    for number, piece in enumerate(pieces):

        def share(part: float, number: int = number) -> None:
            if progress:
                progress((number + part) / len(pieces))

        _fill_piece(canvas, piece, options, series, share)
        canvas.close(piece)
    return canvas.result


@dataclass(frozen=True)
class _Piece:
    """A part of a group's hole and the window in which its sources are searched.

    Attributes:
        top, left: of the part in the photo.
        hole: its pixels.
        window: of the photo, and the size at which it is searched.
    """

    top: int
    left: int
    hole: Bools
    window: Window

    def within(self, group: HoleGroup) -> tuple[slice, slice]:
        """The piece's box as an index into the group's."""
        top, left = self.top - group.top, self.left - group.left
        return slice(top, top + self.hole.shape[0]), slice(left, left + self.hole.shape[1])


class _Canvas:
    """The photo round a group, in which one piece after the other becomes known."""

    def __init__(self, color: Pixels, hole: Bools, group: HoleGroup, network: Pixels) -> None:
        self.color, self.hole, self.group, self.network = color, hole, group, network
        self.result = network.copy()
        self._own = False

    def close(self, piece: _Piece) -> None:
        """Take a piece's fill for known from now on."""
        if piece.hole.shape == self.group.hole.shape:
            return  # there is no other piece
        if not self._own:
            self.color, self.hole, self._own = self.color.copy(), self.hole.copy(), True
        place = np.s_[
            piece.top : piece.top + piece.hole.shape[0],
            piece.left : piece.left + piece.hole.shape[1],
        ]
        self.color[place][piece.hole] = self.result[piece.within(self.group)][piece.hole]
        self.hole[place] &= ~piece.hole


def _pieces(hole: Bools, group: HoleGroup) -> Iterator[_Piece]:
    """Parts of the group's hole that are searched one after the other."""
    top, left, part = cut_to_content(group.hole)
    top, left = top + group.top, left + group.left
    thickness = hole_thickness(hole, part, top, left)
    margin = _MARGIN + int(thickness)
    scale = max(1.0, thickness / _THICKNESS)
    longest = scale * max(_SIDE, np.sqrt(_SEEN) - 2 * margin / scale)
    for rows in evenly(part.shape[0], longest):
        for columns in evenly(part.shape[1], longest):
            if not part[rows, columns].any():
                continue
            down, right, own = cut_to_content(part[rows, columns])
            y, x = top + rows.start + down, left + columns.start + right
            yield _Piece(y, x, own, _surroundings(hole, own, y, x, margin, scale))


def _surroundings(
    hole: Bools, own: Bools, top: int, left: int, margin: int, scale: float
) -> Window:
    """The piece's box with a margin, and the scale of the search."""
    bottom = min(hole.shape[0], top + own.shape[0] + margin)
    right = min(hole.shape[1], left + own.shape[1] + margin)
    top, left = max(0, top - margin), max(0, left - margin)
    height, width = bottom - top, right - left
    missing = int(hole[top:bottom, left:right].sum())
    scale = max(scale, (missing / _MISSING) ** 0.5, (height * width / _SEEN) ** 0.5)
    rows, columns = (max(1, round(side / scale)) for side in (height, width))
    return Window(top, left, height, width, rows, columns)


def _fill_piece(
    canvas: _Canvas,
    piece: _Piece,
    options: DetailOptions,
    series: Series | None,
    progress: ReportProgress,
) -> None:
    """Write a piece's fill into the canvas, if there is anything to copy from."""
    window = piece.window
    image, mask = read_window(canvas.color, canvas.hole, window)
    picture, missing = np.ascontiguousarray(image.transpose(1, 2, 0)), mask[0] > 0.5
    found = _searched(
        picture, missing, _guide(canvas, window), window, options.seed, series, progress
    )
    if found is None:
        return
    sharp, copied = copy_pixels(
        canvas.color,
        canvas.hole,
        piece.hole,
        piece.top,
        piece.left,
        window,
        lit_copies(found, missing),
    )
    box = piece.within(canvas.group)
    highest = np.float32(np.iinfo(canvas.color.dtype).max)
    network = canvas.network[box].astype(np.float32) / highest
    sharp = np.where(copied[..., None], sharp, network)
    scale = max(window.height / window.rows, window.width / window.columns)
    believed = np.ones(piece.hole.shape, np.float32)
    if options.detail == "judged":
        believed = _in_photo(belief(missing, found.misfit), piece)
    border = _BORDER * scale if options.feather is None else options.feather
    depth = _depth(canvas.group, piece, border)
    final = mixed(sharp, network, piece.hole, believed, depth, scale, border)
    fresh = np.rint(final[piece.hole] * highest).astype(canvas.color.dtype)
    canvas.result[box][piece.hole] = fresh


def _searched(
    picture: Floats,
    missing: Bools,
    guide: Floats,
    window: Window,
    seed: int,
    series: Series | None,
    progress: ReportProgress,
) -> Synthesis | None:
    """A synthesis that keeps to the sources of the frame before, as long as these do."""
    before = series.pieces.get(window) if series else None
    found = None
    if before is not None:
        found = synthesize(
            picture, missing, guide, seed=seed, previous=before.offsets, progress=progress
        )
        if found is not None and _mean_misfit(found) > _WORSE * before.misfit + _NOISE:
            found = None
    if found is None:
        found = synthesize(picture, missing, guide, seed=seed, progress=progress)
    if series is not None and found is not None:
        series.pieces[window] = _Remembered(found.offsets, _mean_misfit(found))
    return found


def _mean_misfit(found: Synthesis) -> float:
    return float(found.misfit[found.reached].mean())


def _depth(group: HoleGroup, piece: _Piece, reach: float) -> Floats:
    """How deep the piece's pixels lie in all of the group's hole, as far as that matters."""
    from scipy.ndimage import distance_transform_edt

    more = int(np.ceil(reach)) + 1
    rows, columns = piece.within(group)
    above, before = min(rows.start, more), min(columns.start, more)
    around = group.hole[
        rows.start - above : rows.stop + more, columns.start - before : columns.stop + more
    ]
    depth = distance_transform_edt(np.pad(around, 1))[1:-1, 1:-1]
    height, width = piece.hole.shape
    return np.asarray(depth[above : above + height, before : before + width], np.float32)


def _guide(canvas: _Canvas, window: Window) -> Floats:
    """The window with the group's holes filled by the network, other holes smoothly; R×C×3."""
    photo, others = canvas.color[window.slices].copy(), canvas.hole[window.slices].copy()
    group = canvas.group
    height, width = group.hole.shape
    top, left = max(window.top, group.top), max(window.left, group.left)
    bottom = min(window.top + window.height, group.top + height)
    right = min(window.left + window.width, group.left + width)

    def within(top_left: tuple[int, int]) -> tuple[slice, slice]:
        y, x = top_left
        return slice(top - y, bottom - y), slice(left - x, right - x)

    in_window, in_group = within((window.top, window.left)), within((group.top, group.left))
    own = group.hole[in_group] & others[in_window]  # the pieces that are filled are known
    photo[in_window][own] = canvas.network[in_group][own]
    others[in_window] &= ~own
    here = Window(0, 0, window.height, window.width, window.rows, window.columns)
    image, mask = read_window(photo, others, here)
    smooth: Floats = membrane_fill(image[None], mask[None])[0]
    return np.ascontiguousarray(smooth.transpose(1, 2, 0))


def _in_photo(values: Floats, piece: _Piece) -> Floats:
    """Values of the searched picture, R×C, for the pixels of the piece's box."""
    window, size = piece.window, piece.hole.shape
    rows, columns = (
        np.clip((np.arange(start, start + length) + 0.5 - first) * many / extent, 0, many - 1)
        for start, length, first, extent, many in (
            (piece.top, size[0], window.top, window.height, window.rows),
            (piece.left, size[1], window.left, window.width, window.columns),
        )
    )
    if not window.shrunk:
        return values[np.ix_(rows.astype(np.intp), columns.astype(np.intp))]
    places = np.meshgrid(rows - 0.5, columns - 0.5, indexing="ij")
    return np.asarray(map_coordinates(values, places, order=1, mode="nearest"), np.float32)
