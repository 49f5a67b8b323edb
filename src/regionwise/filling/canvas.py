"""Put filled windows back into the photo: scaled up, feathered inside the hole, blended.

Known pixels are never touched. All work goes by tiles of bounded size, so that memory follows the
network's view and not the window, which for a thick hole may be the whole photo.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from regionwise.arrays import Bools, Floats, Pixels
from regionwise.classical.membrane import membrane_fill
from regionwise.filling.windows import HoleGroup, Window

FEATHER = 2
"""Pixels over which a fill fades in from the hole's border, as the network sees them."""

_TILE = 512
_MARGIN = 32
_STRIP = 64


def read_window(color: Pixels, hole: Bools, window: Window) -> tuple[Floats, Floats]:
    """Cut out what a network is to see.

    A pixel of a shrunken window is the mean of the known photo pixels under it, and missing where
    fewer than half of them are known.

    Args:
        color: H×W×3, the photo.
        hole: H×W, all holes of the photo.
        window: lies within the photo.

    Returns:
        Image 3×rows×columns in [0, 1], zero where missing, and mask 1×rows×columns, 1 = missing.
    """
    missing = hole[window.slices]
    if window.shrunk:
        return _read_shrunken(color[window.slices], missing, window)
    image = color[window.slices].transpose(2, 0, 1) * np.float32(1 / np.iinfo(color.dtype).max)
    mask = missing[None].astype(np.float32)
    image *= 1 - mask
    return image, mask


def _read_shrunken(color: Pixels, missing: Bools, window: Window) -> tuple[Floats, Floats]:
    image = np.empty((3, window.rows, window.columns), np.float32)
    mask = np.empty((1, window.rows, window.columns), np.float32)
    rows = np.arange(window.rows + 1) * window.height // window.rows
    columns = np.arange(window.columns) * window.width // window.columns
    block_widths = np.diff(columns, append=window.width)
    for start in range(0, window.rows, _STRIP):
        edges = rows[start : start + _STRIP + 1]
        strip = slice(edges[0], edges[-1])
        known = (~missing[strip]).astype(np.float32)
        count = _sums(known, edges, columns)
        seen = count >= 0.5 * np.diff(edges)[:, None] * block_widths
        out = slice(start, start + len(edges) - 1)
        mask[0, out] = ~seen
        for channel in range(3):
            total = _sums(color[strip, :, channel] * known, edges, columns)
            image[channel, out] = np.where(seen, total / np.maximum(count, 1), 0)
    image *= np.float32(1 / np.iinfo(color.dtype).max)
    return image, mask


def _sums(values: Floats, rows: NDArray[np.intp], columns: NDArray[np.intp]) -> Floats:
    """Sums over blocks; `rows` are the blocks' edges, `columns` their starts."""
    bands = np.add.reduceat(values, rows[:-1] - rows[0], axis=0)
    sums: Floats = np.add.reduceat(bands, columns, axis=1)
    return sums


class Canvas:
    """The box of one group of holes, into which its windows are painted one after another.

    Where windows overlap the pixel becomes their weighted mean, with weights that fall towards a
    window's border, so that none of these shows. It is kept as a running mean in the photo's own
    type: each window more rounds by half a step at most.
    """

    def __init__(self, color: Pixels, hole: Bools, group: HoleGroup, feather: float | None) -> None:
        """Start from the photo.

        Args:
            color: H×W×3, the photo; it is not written to.
            hole: H×W, all holes of the photo.
            group: whose holes are filled.
            feather: see `feathered`; None for `FEATHER` pixels as the network sees them.
        """
        height, width = group.hole.shape
        self.group = group
        self._photo, self._hole, self._feather = color, hole, feather
        self.color = color[group.top : group.top + height, group.left : group.left + width].copy()
        self._painted: list[Window] = []

    def paint(self, window: Window, answer: Floats) -> None:
        """Paint a network's answer for a window, 3×rows×columns in [0, 1]."""
        scale = max(window.height / window.rows, window.width / window.columns)
        feather = FEATHER * scale if self._feather is None else self._feather
        highest = np.iinfo(self.color.dtype).max
        for inner, outer in self._tiles(window, feather):
            enlarged = _enlarged(answer, window, outer)
            missing = self._hole[outer.slices]
            known = self._photo[outer.slices].transpose(2, 0, 1) * np.float32(1 / highest)
            filled = feathered(enlarged, known, missing, feather)
            cut = filled[
                :,
                inner.top - outer.top : inner.top - outer.top + inner.height,
                inner.left - outer.left : inner.left - outer.left + inner.width,
            ]
            fresh = np.clip(cut, 0, 1).transpose(1, 2, 0) * np.float32(highest)
            self._mix(inner, fresh, _share(window, self._painted, inner))
        self._painted.append(window)

    def _mix(self, tile: Window, fresh: Floats, share: Floats | None) -> None:
        y, x = tile.top - self.group.top, tile.left - self.group.left
        place = slice(y, y + tile.height), slice(x, x + tile.width)
        own = self.group.hole[place]
        if share is not None:
            fresh = share[..., None] * fresh + (1 - share[..., None]) * self.color[place]
        self.color[place][own] = np.rint(fresh[own]).astype(self.color.dtype)

    def _tiles(self, window: Window, feather: float) -> Iterator[tuple[Window, Window]]:
        """Tiles of the window that hold pixels of the group, and each with a margin."""
        margin = _MARGIN + int(np.ceil(feather))
        height, width = self.group.hole.shape
        top, bottom = _overlap(window.top, window.height, self.group.top, height)
        left, right = _overlap(window.left, window.width, self.group.left, width)
        for y in range(top, bottom, _TILE):
            for x in range(left, right, _TILE):
                inner = _rectangle(y, x, min(y + _TILE, bottom), min(x + _TILE, right))
                own = self.group.hole[
                    y - self.group.top : y - self.group.top + inner.height,
                    x - self.group.left : x - self.group.left + inner.width,
                ]
                if own.any():
                    yield (
                        inner,
                        _rectangle(
                            max(y - margin, window.top),
                            max(x - margin, window.left),
                            min(y + inner.height + margin, window.top + window.height),
                            min(x + inner.width + margin, window.left + window.width),
                        ),
                    )


def feathered(answer: Floats, known: Floats, missing: Bools, feather: float) -> Floats:
    """Let an answer fade in from the hole's border, over a smooth continuation of what is known.

    Args:
        answer: 3×H×W.
        known: 3×H×W; what it holds inside the hole is ignored.
        missing: H×W.
        feather: pixels inside the hole over which the answer fades in; 0 for a hard edge.

    Returns:
        3×H×W; only its missing pixels mean anything.
    """
    if feather <= 0 or missing.all():
        return answer
    strength = fade_in(missing, feather)
    mask = missing.astype(np.float32)[None, None]
    smooth = membrane_fill(known[None], mask)[0]
    mixed: Floats = smooth + strength * (answer - smooth)
    return mixed


def fade_in(missing: Bools, feather: float) -> Floats:
    """0 in the known region, rising smoothly to 1 where a hole pixel is `feather` from its border.

    Beyond the array's border lies nothing known. Distances are octagonal (steps in four and eight
    directions by turns), within 8 % of the true ones.
    """
    steps = int(np.ceil(feather))
    depth = np.zeros(missing.shape, np.float32)
    inside = missing
    for step in range(steps):
        if not inside.any():
            break
        depth += inside
        inside = _eroded(inside, diagonal=step % 2 == 1)
    depth += inside
    rise = np.minimum(depth / np.float32(feather + 1), 1)
    return np.asarray(rise * rise * (3 - 2 * rise), np.float32)


def _eroded(flags: Bools, *, diagonal: bool) -> Bools:
    """Without the pixels that touch a False; beyond the border all is True."""
    rows = flags.copy()
    rows[1:] &= flags[:-1]
    rows[:-1] &= flags[1:]
    beside = rows if diagonal else flags
    both = rows.copy()
    both[:, 1:] &= beside[:, :-1]
    both[:, :-1] &= beside[:, 1:]
    return np.asarray(both)


def _enlarged(answer: Floats, window: Window, part: Window) -> Floats:
    """The part of the answer under a rectangle of the photo, in photo pixels."""
    y, x = part.top - window.top, part.left - window.left
    if not window.shrunk:
        return answer[:, y : y + part.height, x : x + part.width]
    rows, columns = window.rows / window.height, window.columns / window.width
    box = (x * columns, y * rows, (x + part.width) * columns, (y + part.height) * rows)
    planes = [
        Image.fromarray(plane).resize((part.width, part.height), Image.Resampling.BICUBIC, box=box)
        for plane in np.ascontiguousarray(answer)
    ]
    return np.stack([np.asarray(plane) for plane in planes])


def _share(window: Window, painted: list[Window], part: Window) -> Floats | None:
    """What a window counts among those painted so far, per pixel of a part of it; None for all."""
    others = [other for other in painted if _touches(other, part)]
    if not others:
        return None
    own = _weight(window, part)
    return own / (own + sum(_weight(other, part) for other in others))


def _weight(window: Window, part: Window) -> Floats:
    """A window's weight on a rectangle of the photo: falls linearly to its border, 0 outside."""
    rows = _ramp(window.top, window.height, part.top, part.height)
    columns = _ramp(window.left, window.width, part.left, part.width)
    return rows[:, None] * columns


def _ramp(start: int, length: int, part_start: int, part_length: int) -> Floats:
    position = np.arange(part_start, part_start + part_length, dtype=np.float32) + 0.5 - start
    ramp: Floats = np.clip(np.minimum(position, length - position) / length, 0, None)
    return ramp


def _touches(window: Window, part: Window) -> bool:
    top, bottom = _overlap(window.top, window.height, part.top, part.height)
    left, right = _overlap(window.left, window.width, part.left, part.width)
    return top < bottom and left < right


def _overlap(start: int, length: int, other: int, other_length: int) -> tuple[int, int]:
    return max(start, other), min(start + length, other + other_length)


def _rectangle(top: int, left: int, bottom: int, right: int) -> Window:
    return Window(top, left, bottom - top, right - left, bottom - top, right - left)
