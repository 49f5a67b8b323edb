"""What a fill made new, without the photo round it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from regionwise.arrays import Mask, Pixels
from regionwise.photos.photo import Photo


@dataclass(frozen=True, eq=False)
class Patch:
    """A window of new pixels: height×width×3 `color`, of which those under `hole` count."""

    top: int
    left: int
    color: Pixels
    hole: Mask

    @property
    def size(self) -> int:
        """Bytes in memory."""
        return int(self.color.nbytes + self.hole.nbytes)


def patches_since(before: Photo, after: Photo) -> tuple[Patch, ...]:
    """What a fill made new, cut to its hole and copied, so that the photos themselves can go."""
    patches = []
    for done in after.filled[len(before.filled) :]:
        if not done.hole.any():
            continue
        rows, columns = (_extent(np.asarray(done.hole.any(axis=axis))) for axis in (1, 0))
        patches.append(
            Patch(
                done.top + rows.start,
                done.left + columns.start,
                after.color[done.window][rows, columns].copy(),
                done.hole[rows, columns].copy(),
            )
        )
    return tuple(patches)


def _extent(flags: Mask) -> slice:
    """From the first True to the last."""
    places = np.flatnonzero(flags)
    return slice(int(places[0]), int(places[-1]) + 1)


def with_patches(photo: Photo, patches: tuple[Patch, ...]) -> Photo:
    """The photo with these fills, in their order."""
    return photo.with_fills([(one.top, one.left, one.color, one.hole) for one in patches])
