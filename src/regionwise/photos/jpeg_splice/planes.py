"""New pixels as samples of a JPEG's planes, block by block.

Source: ITU-T T.871 (JFIF), section 7, for colours; libjpeg's box (jcsample.c) for subsampling.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

import numpy as np
import numpy.typing as npt

from regionwise.arrays import Bools, Bytes, Floats, Integers, Numbers
from regionwise.photos.jpeg_splice.structure import Component, Structure

_Sample = TypeVar("_Sample", np.bool_, np.float32)
PLANES = {"L": 1, "RGB": 3, "YCbCr": 3, "CMYK": 4, "YCCK": 4}


class HolePlace(Protocol):
    """A place in the stored picture: the pixels under `hole`, whose first one is (top, left)."""

    @property
    def top(self) -> int:
        """First row."""

    @property
    def left(self) -> int:
        """First column."""

    @property
    def hole(self) -> Bools:
        """height×width."""


@dataclass(frozen=True, eq=False)
class Hole:
    """A window of the stored picture whose pixels under `hole` (height×width bool) will be new."""

    top: int
    left: int
    hole: Bools


@dataclass(frozen=True, eq=False)
class SamplePatch:
    """A window of the stored picture whose pixels under `hole` are new.

    Attributes:
        top: first row of the window.
        left: first column of the window.
        samples: height×width uint8 for a grey file, height×width×3 RGB for one of three planes,
            height×width×4 for CMYK as Pillow gives it (0 = no ink).
        hole: height×width bool.
    """

    top: int
    left: int
    samples: Bytes
    hole: Bools


@dataclass(frozen=True, eq=False)
class NewSamples:
    """What patches say of a plane's blocks.

    Attributes:
        blocks: N indices into the plane's grid, ascending.
        share: N×64, which part of the pixels under a sample is new, 0 to 1.
        value: N×64, the mean of these.
    """

    blocks: Numbers
    share: Floats
    value: Floats


def stored_colors(samples: Bytes, colors: str) -> Floats:
    """Pixels as Pillow gives them as what a file's planes hold, height×width×planes."""
    wide = samples.astype(np.float32)
    if colors == "L":
        return wide.reshape(*samples.shape[:2], 1)
    if colors == "RGB":
        return wide
    if colors == "CMYK":
        return 255 - wide  # Adobe's programs write ink upside down, and Pillow expects it
    # YCCK takes 255 - ink for RGB, and ink is upside down: so Pillow's CMY stands for RGB.
    red, green, blue = wide[..., 0], wide[..., 1], wide[..., 2]
    luma = 0.299 * red + 0.587 * green + 0.114 * blue
    planes = [luma, (blue - luma) / 1.772 + 128, (red - luma) / 1.402 + 128]
    if colors == "YCCK":
        planes.append(255 - wide[..., 3])
    return np.stack(planes, axis=2)


def touched_blocks(structure: Structure, windows: Sequence[HolePlace]) -> dict[int, Numbers]:
    """Of each plane the blocks in which a hole lies: indices into its grid, ascending."""
    windows = [window for window in windows if window.hole.any()]
    touched = {}
    for number, component in enumerate(structure.frame.components):
        found = [_holes(component, window)[0] for window in windows]
        touched[number] = np.unique(np.concatenate([np.zeros(0, np.int64), *found]))
    return touched


def _holes(component: Component, window: HolePlace) -> tuple[Numbers, Bools, tuple[Integers, ...]]:
    """The blocks in which a hole lies, their part of it, and where in the tiled window they are."""
    height, width = 8 * component.scale[0], 8 * component.scale[1]
    holes = _tiles(window.hole, window, height, width)
    where = np.nonzero(holes.any(axis=(2, 3)))
    row, column = where[0] + window.top // height, where[1] + window.left // width
    return row * component.grid[1] + column, holes[where], where


def new_samples(structure: Structure, patches: Sequence[SamplePatch]) -> list[NewSamples]:
    """Bring patches into the planes of a file. Where patches overlap the last one counts."""
    patches = [_cropped(patch) for patch in patches if patch.hole.any()]
    colors = [stored_colors(patch.samples, structure.colors) for patch in patches]
    return [
        _of_plane(component, patches, [color[..., number] for color in colors])
        for number, component in enumerate(structure.frame.components)
    ]


def _cropped(patch: SamplePatch) -> SamplePatch:
    """The patch without rows and columns round its hole."""
    rows, columns = np.flatnonzero(patch.hole.any(axis=1)), np.flatnonzero(patch.hole.any(axis=0))
    box = np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    return SamplePatch(
        patch.top + int(rows[0]), patch.left + int(columns[0]), patch.samples[box], patch.hole[box]
    )


def _of_plane(
    component: Component, patches: Sequence[SamplePatch], colors: Sequence[Floats]
) -> NewSamples:
    down, across = component.scale
    height, width = 8 * down, 8 * across
    tiled = []
    for patch, color in zip(patches, colors, strict=True):
        index, holes, where = _holes(component, patch)
        tiled.append((index, holes, _tiles(color, patch, height, width)[where]))
    blocks = np.unique(np.concatenate([index for index, _, _ in tiled]))
    hole = np.zeros((len(blocks), height, width), np.bool_)
    value = np.zeros((len(blocks), height, width), np.float32)
    for index, holes, values in tiled:
        slot = np.searchsorted(blocks, index)
        hole[slot] |= holes
        value[slot] = np.where(holes, values, value[slot])
    parts = hole.reshape(-1, 8, down, 8, across)
    share = parts.mean(axis=(2, 4), dtype=np.float32)
    total = value.reshape(parts.shape).mean(axis=(2, 4))
    mean = total / np.where(share > 0, share, 1)
    return NewSamples(blocks, share.reshape(-1, 64), mean.reshape(-1, 64))


def _tiles(
    samples: npt.NDArray[_Sample], window: HolePlace, height: int, width: int
) -> npt.NDArray[_Sample]:
    """A window as tiles, a block each: rows×columns×height×width, with zeros round it."""
    before = window.top % height, window.left % width
    after = -(window.top + samples.shape[0]) % height, -(window.left + samples.shape[1]) % width
    padded = np.pad(samples, ((before[0], after[0]), (before[1], after[1])))
    rows, columns = padded.shape[0] // height, padded.shape[1] // width
    tiles: npt.NDArray[_Sample] = padded.reshape(rows, height, columns, width).swapaxes(1, 2)
    return tiles


def inside(structure: Structure, number: int, blocks: Numbers) -> Bools:
    """Which samples of blocks lie within the picture: N×64."""
    component, frame = structure.frame.components[number], structure.frame
    rows = -(-frame.height // component.scale[0])
    columns = -(-frame.width // component.scale[1])
    row, column = np.divmod(blocks, component.grid[1])
    eight = np.arange(8)
    within_rows = (row[:, None] * 8 + eight < rows)[:, :, None]
    within_columns = (column[:, None] * 8 + eight < columns)[:, None, :]
    return (within_rows & within_columns).reshape(-1, 64)
