"""What is evaluated: which hole goes on which photo, and in which row of the table it counts."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import numpy as np
from PIL import Image

from regionwise.arrays import Mask
from regionwise.errors import DataError, MaskError
from regionwise.evaluation.manifest import Manifest, checksum
from regionwise.holes import Ratio, Size, StoredMasks
from regionwise.photos.photo_source import PhotoSource

TENTHS: tuple[Ratio, ...] = tuple((low / 10, (low + 1) / 10) for low in range(6))
"""Bins of hole ratios into which masks from files are put."""


class HoleSet(Protocol):
    """A row of the table: a hole of one kind for each photo."""

    @property
    def name(self) -> str:
        """The row's name."""
        ...

    @property
    def size(self) -> Size:
        """Height and width of the holes, and so of the pictures."""
        ...

    def hole(self, number: int, photo: PhotoSource) -> tuple[str, Mask]:
        """Name and pixels of the hole for photo `number`."""
        ...


@dataclass(frozen=True)
class Plan:
    """Rows, the names of those over which the row "All" goes, and what identifies the holes."""

    name: str
    title: str
    source: str
    sets: tuple[HoleSet, ...]
    all: tuple[str, ...]
    sha256: str
    notes: tuple[str, ...] = field(default=())


@dataclass(frozen=True)
class _Drawn:
    manifest: Manifest
    number: int

    @property
    def name(self) -> str:
        return self.manifest.sets[self.number].name

    @property
    def size(self) -> Size:
        return self.manifest.sets[self.number].size

    def hole(self, number: int, photo: PhotoSource) -> tuple[str, Mask]:
        """Mask `number` of the set; when all are used up they start again from the first."""
        drawn = self.manifest.sets[self.number]
        index = number % drawn.count
        return str(index), drawn.draw(index)


def plan_of_manifest(manifest: Manifest) -> Plan:
    """The plan of a protocol: photo k gets mask k of each set."""
    return Plan(
        manifest.name,
        manifest.title,
        manifest.source,
        tuple(_Drawn(manifest, number) for number in range(len(manifest.sets))),
        manifest.all,
        manifest.sha256,
    )


@dataclass(frozen=True)
class _Stored:
    name: str
    size: Size
    masks: tuple[tuple[str, Mask], ...]

    def hole(self, number: int, photo: PhotoSource) -> tuple[str, Mask]:
        """Mask `number` of the bin; when all are used up they start again from the first."""
        return self.masks[number % len(self.masks)]


def plan_of_masks(folder: Path, size: Size) -> Plan:
    """The plan of masks from a folder or tar, fitted to a size and put into bins by hole ratio.

    A bin without a mask gets no row, and a note.

    Raises:
        DataError: there is no mask with a hole ratio of up to 60 %.
        MaskError: a mask can't be read.
    """
    stored = StoredMasks([folder], augment=False)
    masks = [
        (stored.name(number), _fit(stored.read(number), size)) for number in range(len(stored))
    ]
    rows, notes = [], []
    for low, high in TENTHS:
        name = f"{low:.0%}-{high:.0%}".replace("%-", "-")
        inside = tuple(one for one in masks if low < one[1].mean() <= high)
        if inside:
            rows.append(_Stored(name, size, inside))
        else:
            notes.append(f"no mask in {folder} has a hole ratio of {name}: the row is left out")
    if not rows:
        raise DataError(f"{folder}: no mask has a hole ratio above 0 and up to 60 %")
    return Plan(
        folder.name,
        f"Masks of {folder.name} by hole ratio",
        str(folder),
        tuple(rows),
        tuple(row.name for row in rows),
        _sum_of_masks(masks),
        tuple(notes),
    )


@dataclass(frozen=True)
class _Paired:
    name: str
    size: Size
    masks: dict[str, Mask]

    def hole(self, number: int, photo: PhotoSource) -> tuple[str, Mask]:
        """The photo's own mask.

        Raises:
            MaskError: if there is none.
        """
        stem = Path(photo.name).stem
        if stem not in self.masks:
            raise MaskError(f"{photo.name}: no mask of the name {stem}; add {stem}.png")
        return stem, self.masks[stem]


def plan_of_pairs(folder: Path, size: Size) -> Plan:
    """The plan of a mask for each photo, of the photo's name, in one row.

    Raises:
        MaskError: a mask can't be read.
    """
    stored = StoredMasks([folder], augment=False)
    masks = [(Path(stored.name(k)).stem, _fit(stored.read(k), size)) for k in range(len(stored))]
    row = _Paired("pairs", size, dict(masks))
    title = f"Each photo with its own mask of {folder.name}"
    return Plan(folder.name, title, str(folder), (row,), (), _sum_of_masks(masks))


def _fit(mask: Mask, size: Size) -> Mask:
    if mask.shape == size:
        return mask
    resized = Image.fromarray(mask).resize((size[1], size[0]), Image.Resampling.NEAREST)
    return np.array(resized, bool)


def _sum_of_masks(masks: Sequence[tuple[str, Mask]]) -> str:
    listing = json.dumps([[name, checksum(mask)] for name, mask in masks])
    return hashlib.sha256(listing.encode()).hexdigest()
