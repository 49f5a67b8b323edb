"""What is evaluated: which hole goes on which photo, and in which row of the table it counts."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Literal, Protocol

import numpy as np
from PIL import Image

from regionwise.arrays import Mask
from regionwise.errors import DataError, MaskError
from regionwise.evaluation.manifest import Manifest, checksum, read_manifest
from regionwise.holes import Size, StoredMasks
from regionwise.photos.photo_source import PhotoSource

TENTHS = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6)
"""Edges of the bins of hole ratios into which masks from files are put."""

Through = Literal["fill", "network"]
"""Whether holes are filled as `regionwise fill` does it, or by a model alone."""


@dataclass(frozen=True)
class OwnSize:
    """Pictures of the photos' own sizes.

    Attributes:
        shorter, longer: what the sides of a photo must have at least.
        longest: the side to which a larger photo is scaled down.
        around_holes: whether what is seen round a hole is measured, not the whole photo.
    """

    shorter: int = 1
    longer: int = 1
    longest: int | None = None
    around_holes: bool = False


class HoleSet(Protocol):
    """A row of the table: a hole of one kind for each photo."""

    @property
    def name(self) -> str:
        """The row's name."""
        ...

    @property
    def size(self) -> Size | OwnSize:
        """Height and width of the pictures, or each photo's own."""
        ...

    def applies(self, number: int) -> bool:
        """Whether photo `number` has a hole in this row."""
        ...

    def hole(self, number: int, photo: PhotoSource, size: Size) -> tuple[str, Mask]:
        """Name and pixels of the hole for photo `number`, of the picture's size."""
        ...


@dataclass(frozen=True)
class Plan:
    """Rows, the names of those over which the row "All" goes, and what identifies the holes.

    `through`: how holes are filled where nothing else is asked for.
    """

    name: str
    title: str
    source: str
    sets: tuple[HoleSet, ...]
    all: tuple[str, ...]
    sha256: str
    notes: tuple[str, ...] = field(default=())
    through: Through = "network"

    def sets_of(self, number: int) -> list[HoleSet]:
        """The rows in which photo `number` counts."""
        return [one for one in self.sets if one.applies(number)]

    def with_row(self, protocol_and_set: str, *, original: bool) -> Plan:
        """The plan with a row of a protocol, PROTOCOL:SET, that counts for no "All".

        Raises:
            DataError: if there is no such protocol or set.
        """
        protocol, _, name = protocol_and_set.rpartition(":")
        manifest = read_manifest(protocol)
        names = [one.name for one in manifest.sets]
        if name not in names:
            raise DataError(f"--also: {protocol} has no set {name!r}; there are {', '.join(names)}")
        if name in [one.name for one in self.sets]:
            raise DataError(f"--also: there are two rows of the name {name}")
        row = _Drawn(manifest, names.index(name), original)
        both = hashlib.sha256(f"{self.sha256} {manifest.sha256} {name}".encode())
        return replace(self, sets=(*self.sets, row), sha256=both.hexdigest())


@dataclass(frozen=True)
class _Drawn:
    manifest: Manifest
    number: int
    original: bool

    @property
    def name(self) -> str:
        return self.manifest.sets[self.number].name

    @property
    def size(self) -> Size | OwnSize:
        return OwnSize() if self.original else self.manifest.sets[self.number].size

    def applies(self, number: int) -> bool:
        return True

    def hole(self, number: int, photo: PhotoSource, size: Size) -> tuple[str, Mask]:
        """Mask `number` of the set; when all are used up they start again from the first."""
        drawn = self.manifest.sets[self.number]
        index = number % drawn.count
        return str(index), drawn.draw_at(index, size) if self.original else drawn.draw(index)


def plan_of_manifest(manifest: Manifest, *, original: bool = False) -> Plan:
    """The plan of a protocol: photo k gets mask k of each set.

    Args:
        manifest: of the protocol.
        original: photos keep their size, and each mask is drawn anew at it, by the same numbers.
    """
    sha256 = manifest.sha256
    return Plan(
        manifest.name,
        manifest.title,
        manifest.source,
        tuple(_Drawn(manifest, number, original) for number in range(len(manifest.sets))),
        manifest.all,
        hashlib.sha256(f"{sha256} original".encode()).hexdigest() if original else sha256,
        through="fill" if original else "network",
    )


@dataclass(frozen=True)
class _Stored:
    """A bin of masks in files, which are read when they are needed."""

    name: str
    size: Size | OwnSize
    masks: StoredMasks
    numbers: tuple[int, ...]

    def applies(self, number: int) -> bool:
        return True

    def hole(self, number: int, photo: PhotoSource, size: Size) -> tuple[str, Mask]:
        """Mask `number` of the bin; when all are used up they start again from the first."""
        return _read(self.masks, self.numbers[number % len(self.numbers)], size)


@dataclass(frozen=True)
class _Assigned(_Stored):
    """A bin of which each photo gets the mask that it was given, or none."""

    order: tuple[int, ...]

    @cached_property
    def _inside(self) -> frozenset[int]:
        return frozenset(self.numbers)

    def applies(self, number: int) -> bool:
        """Whether the photo's one mask lies in this bin."""
        return self.order[number % len(self.order)] in self._inside

    def hole(self, number: int, photo: PhotoSource, size: Size) -> tuple[str, Mask]:
        """The photo's one mask."""
        return _read(self.masks, self.order[number % len(self.order)], size)


def plan_of_masks(
    stored: StoredMasks,
    size: Size | OwnSize,
    title: str,
    *,
    edges: Sequence[float] = TENTHS,
    one_each: bool = False,
) -> Plan:
    """The plan of masks in files, put into bins by hole ratio; none of them is kept in memory.

    A bin without a mask gets no row, and a note.

    Args:
        stored: the masks.
        size: of the pictures, to which masks are fitted.
        title: what the masks are called.
        edges: of the bins, each (low, high].
        one_each: each photo gets one mask in all, by chance (always the same), not one of each bin.

    Raises:
        DataError: there is no mask with a hole ratio in a bin.
        MaskError: a mask can't be read.
    """
    found = [_measured(stored, number, size) for number in range(len(stored))]
    bins: dict[str, tuple[int, ...]] = {}
    notes = []
    for low, high in pairwise(edges):
        name = f"{100 * low:g}-{100 * high:g}%"
        inside = tuple(k for k, (ratio, _) in enumerate(found) if low < ratio <= high)
        if inside:
            bins[name] = inside
        else:
            notes.append(f"no mask in {title} has a hole ratio of {name}: the row is left out")
    if not bins:
        raise DataError(
            f"{title}: no mask has a hole ratio above {edges[0]:.0%} and up to {edges[-1]:.0%}"
        )
    rows: list[HoleSet]
    if one_each:
        usable = sorted(k for inside in bins.values() for k in inside)
        order = tuple(np.random.default_rng(0).permutation(usable).tolist())
        rows = [_Assigned(name, size, stored, inside, order) for name, inside in bins.items()]
    else:
        rows = [_Stored(name, size, stored, inside) for name, inside in bins.items()]
    identity = json.dumps([_listing(stored, found), list(edges), one_each])
    return Plan(
        title,
        f"Masks of {title} by hole ratio",
        title,
        tuple(rows),
        tuple(bins),
        hashlib.sha256(identity.encode()).hexdigest(),
        tuple(notes),
        _way(size),
    )


@dataclass(frozen=True)
class _Paired:
    name: str
    size: Size | OwnSize
    masks: StoredMasks
    numbers: dict[str, int]

    def applies(self, number: int) -> bool:
        return True

    def hole(self, number: int, photo: PhotoSource, size: Size) -> tuple[str, Mask]:
        """The photo's own mask.

        Raises:
            MaskError: if there is none.
        """
        stem = Path(photo.name).stem
        if stem not in self.numbers:
            raise MaskError(f"{photo.name}: no mask of the name {stem}; add {stem}.png")
        return stem, _read(self.masks, self.numbers[stem], size)[1]


def plan_of_pairs(stored: StoredMasks, size: Size | OwnSize, title: str) -> Plan:
    """The plan of a mask for each photo, of the photo's name, in one row.

    Raises:
        MaskError: a mask can't be read.
    """
    found = [_measured(stored, number, size) for number in range(len(stored))]
    numbers = {Path(stored.name(number)).stem: number for number in range(len(stored))}
    row = _Paired("pairs", size, stored, numbers)
    identity = json.dumps(_listing(stored, found)).encode()
    named = f"Each photo with its own mask of {title}"
    sha256 = hashlib.sha256(identity).hexdigest()
    return Plan(title, named, title, (row,), (), sha256, through=_way(size))


def _way(size: Size | OwnSize) -> Through:
    return "fill" if isinstance(size, OwnSize) else "network"


def _measured(stored: StoredMasks, number: int, size: Size | OwnSize) -> tuple[float, str]:
    """A mask's hole ratio and checksum, fitted to the size if there is one."""
    mask = stored.read(number)
    used = mask if isinstance(size, OwnSize) else _fit(mask, size)
    return float(used.mean()), checksum(used)


def _listing(stored: StoredMasks, found: Sequence[tuple[float, str]]) -> list[list[str]]:
    return [[stored.name(number), digest] for number, (_, digest) in enumerate(found)]


def _read(stored: StoredMasks, number: int, size: Size) -> tuple[str, Mask]:
    return stored.name(number), _fit(stored.read(number), size)


def _fit(mask: Mask, size: Size) -> Mask:
    if mask.shape == size:
        return mask
    resized = Image.fromarray(mask).resize((size[1], size[0]), Image.Resampling.NEAREST)
    return np.array(resized, bool)
