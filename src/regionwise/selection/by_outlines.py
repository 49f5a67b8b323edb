"""Select by a click: the segment that is most likely meant, of those that lie around it.

A first look at the whole photo tells which segment (`segment_tree`, `candidates`); where that is
small in a large photo, a second look at its surroundings draws the outline finer. "Wider" goes on
to the next larger segment that is likely. For a box the random walker does better, and is asked.
"""

from __future__ import annotations

import hashlib
import threading
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from regionwise.arrays import Floats, Mask, Pixels
from regionwise.photos.raster import to_eight_bits
from regionwise.selection.candidates import Location, candidates
from regionwise.selection.outlines import Outlines, likely, see
from regionwise.selection.prompt import Prompt
from regionwise.selection.random_walk import RandomWalkSegmenter, touched
from regionwise.selection.segment_tree import SegmentTree, flooded, segment_tree

_WIDER = 1.4
"""A wider segment has at least so many times the area."""
_BAND = 5
"""Pixels of the first look within which the second may move the outline."""
_FINER = 1.3
"""A second look is taken where its scale is so many times that of the first."""
_MARGIN = 0.15
"""Of the segment's sides, that is looked at round it the second time."""


class OutlineSegmenter:
    """The bundled way. The last photo's segments are kept, so that a second click is quick."""

    def __init__(self) -> None:
        """Nothing is loaded before the first click."""
        self._by_box = RandomWalkSegmenter()
        self._lock = threading.Lock()
        self._last: tuple[bytes, _Seen] | None = None

    def select(self, color: Pixels, prompt: Prompt) -> Mask:
        """Select, see `regionwise.selection.prompt.Segmenter`."""
        if prompt.box is not None:
            return self._by_box.select(color, prompt)
        height, width = color.shape[:2]
        prompt.check(height, width)
        picture = np.ascontiguousarray(to_eight_bits(color))
        seen = self._seen(picture)
        small = _chosen(seen, prompt)
        rough = _enlarged(small, height, width)
        selected = _finer(picture, rough, seen.outlines.scale)
        for points, value in ((prompt.outside, False), (prompt.inside, True)):
            for x, y in points:  # a thing of a pixel or two would be rounded off
                selected[y, x] = value
        return touched(selected, prompt)

    def _seen(self, picture: Pixels) -> _Seen:
        key = hashlib.blake2b(picture.tobytes()).digest()
        with self._lock:
            last = self._last
        if last is None or last[0] != key:
            outlines = see(picture)
            last = key, _Seen(outlines, segment_tree(outlines.border, outlines.vector))
            with self._lock:
                self._last = last
        return last[1]


@dataclass(frozen=True)
class _Seen:
    outlines: Outlines
    tree: SegmentTree


def _chosen(seen: _Seen, prompt: Prompt) -> Mask:
    """The segment that is meant, at the scale of the first look."""
    outlines = seen.outlines
    inside, outside = (
        [_scaled(point, outlines.scale, outlines.border.shape) for point in points]
        for points in (prompt.inside, prompt.outside)
    )
    found = candidates(seen.tree, outlines.border, outlines.vector, inside, outside)
    chain = _chain(likely(found.seen), found.area)
    return found.mask(chain[prompt.wider % len(chain)])


def _chain(score: NDArray[np.float64], area: NDArray[np.int64]) -> list[int]:
    """The likeliest segment, the likeliest of those that are larger, and so on."""
    chain = [int(score.argmax())]
    while (wider := area >= _WIDER * area[chain[-1]]).any():
        chain.append(int(np.where(wider, score, -np.inf).argmax()))
    return chain[:-1] if len(chain) > 1 and chain[-1] == len(score) - 1 else chain


def _scaled(point: tuple[int, int], scale: float, shape: tuple[int, ...]) -> Location:
    x, y = (int(part * scale) for part in point)
    return min(x, shape[1] - 1), min(y, shape[0] - 1)


def _finer(picture: Pixels, rough: Mask, scale: float) -> Mask:
    """The outline after a second, nearer look, where one is to be had."""
    rows, columns = (np.flatnonzero(rough.any(axis=axis)) for axis in (1, 0))
    if not len(rows):
        return rough
    band = _BAND / scale
    part = tuple(
        slice(
            max(0, int(ends[0] - band - _MARGIN * len(ends))),
            int(ends[-1] + band + _MARGIN * len(ends)) + 1,
        )
        for ends in (rows, columns)
    )
    outlines = see(np.ascontiguousarray(picture[part]))
    if outlines.scale < _FINER * scale:
        return rough
    finer = rough.copy()
    finer[part] = _between(rough[part], outlines, _BAND * outlines.scale / scale)
    return finer


def _between(rough: Mask, outlines: Outlines, band: float) -> Mask:
    """The outline along the strongest border within a band round the rough one."""
    from scipy.ndimage import distance_transform_edt

    border = outlines.border
    small = np.asarray(
        Image.fromarray(rough).resize(border.shape[::-1], Image.Resampling.NEAREST), bool
    )
    within = distance_transform_edt(np.pad(small, 1, mode="edge"))[1:-1, 1:-1]
    beyond = distance_transform_edt(np.pad(~small, 1, mode="edge"))[1:-1, 1:-1]
    deep = min(band, 0.6 * float(within.max()))
    seeds = np.zeros(border.shape, np.int32)
    seeds[within > deep] = 1
    seeds[beyond > band] = 2
    if not (seeds == 2).any():
        return rough
    return _enlarged(np.asarray(flooded(border, seeds) == 1), *rough.shape)


def _enlarged(mask: Mask, height: int, width: int) -> Mask:
    """A mask at another scale, its steps rounded off."""
    from scipy.ndimage import gaussian_filter

    if mask.shape == (height, width):
        return mask
    soft: Floats = gaussian_filter(mask.astype(np.float32), 0.7)
    large = Image.fromarray(soft).resize((width, height), Image.Resampling.BICUBIC)
    return np.asarray(np.asarray(large) > 0.5)
