"""Holes like things that people take out of photos, drawn for each photo at its own size.

A protocol of this kind names no masks, as photos have many sizes: a photo's hole is drawn from the
protocol's seed, the row's number, the photo's name and its size alone. Checksums of the holes of
some sizes prove that a machine draws what others draw.
"""

from __future__ import annotations

import hashlib
import zlib
from dataclasses import dataclass
from importlib import resources
from typing import Annotated

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

import regionwise
from regionwise.arrays import Mask
from regionwise.errors import DataError
from regionwise.evaluation.manifest import OBJECTS, checksum
from regionwise.evaluation.plan import OwnSize, Plan
from regionwise.holes import Size, removed_object
from regionwise.photos.photo_source import PhotoSource

_CHECKED = "a photo"


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ObjectSet(_Section):
    """A row: objects of a thickness (see `removed_object`), and checksums of those of the sizes."""

    name: str
    thickness: tuple[Annotated[float, Field(gt=0)], Annotated[float, Field(gt=0)]]
    masks: tuple[str, ...] = ()


class ObjectRemoval(_Section):
    """A protocol of this kind.

    `shorter`, `longer`: what the sides of a photo must have at least; `longest`: to which a larger
    photo is scaled down; `sizes`: those whose holes `masks` are the checksums of.
    """

    name: str
    title: str
    source: str = ""
    regionwise: str = regionwise.__version__
    seed: int = Field(ge=0)
    shorter: int = Field(gt=0)
    longer: int = Field(gt=0)
    longest: int = Field(gt=0)
    sizes: tuple[tuple[int, int], ...]
    sets: tuple[ObjectSet, ...] = Field(min_length=1)

    def draw(self, number: int, photo: str, size: Size) -> Mask:
        """The hole of a photo, by its name, in row `number`; H×W bool, True = missing."""
        rng = np.random.default_rng([self.seed, number, zlib.crc32(photo.encode())])
        return removed_object(size, rng, self.sets[number].thickness)

    def sealed(self) -> ObjectRemoval:
        """The same protocol with its checksums."""
        sets = [
            one.model_copy(update={"masks": self._sums(number)})
            for number, one in enumerate(self.sets)
        ]
        return self.model_copy(update={"sets": tuple(sets)})

    def check(self) -> None:
        """Hold what this machine draws against the checksums.

        Raises:
            DataError: if it draws other holes.
        """
        for number, one in enumerate(self.sets):
            if self._sums(number) != one.masks:
                raise DataError(
                    f"the holes of {one.name!r} are not those of {self.name}, which another "
                    "version made: install the version it names"
                )

    def _sums(self, number: int) -> tuple[str, ...]:
        return tuple(checksum(self.draw(number, _CHECKED, size)) for size in self.sizes)

    def to_json(self) -> str:
        """The text of the file."""
        return self.model_dump_json(indent=1) + "\n"

    @property
    def sha256(self) -> str:
        """Checksum of the protocol itself, whatever its layout in the file."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()


@dataclass(frozen=True)
class _Objects:
    protocol: ObjectRemoval
    number: int

    @property
    def name(self) -> str:
        return self.protocol.sets[self.number].name

    @property
    def size(self) -> OwnSize:
        protocol = self.protocol
        return OwnSize(protocol.shorter, protocol.longer, protocol.longest, around_holes=True)

    def applies(self, number: int) -> bool:
        return True

    def hole(self, number: int, photo: PhotoSource, size: Size) -> tuple[str, Mask]:
        """The photo's own hole in this row."""
        return f"{photo.name}, {self.name}", self.protocol.draw(self.number, photo.name, size)


def read_object_protocol(name: str) -> ObjectRemoval:
    """A protocol that comes with regionwise."""
    folder = resources.files("regionwise.evaluation") / OBJECTS
    text = (folder / f"{name}.json").read_text(encoding="utf-8")
    return ObjectRemoval.model_validate_json(text)


def plan_of_objects(protocol: ObjectRemoval) -> Plan:
    """The plan of a protocol: each photo gets a hole of its own in each row.

    Raises:
        DataError: this machine draws other holes than the protocol's.
    """
    protocol.check()
    names = tuple(one.name for one in protocol.sets)
    return Plan(
        protocol.name,
        protocol.title,
        protocol.source,
        tuple(_Objects(protocol, number) for number in range(len(names))),
        names,
        protocol.sha256,
        through="fill",
    )
