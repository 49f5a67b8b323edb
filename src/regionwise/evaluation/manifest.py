"""Sets of masks as small files: what to draw, and the checksums that prove it was drawn.

A manifest holds no picture. Mask number k of a set is drawn from the set's seed and k alone, so
any part can be drawn anywhere, in any order; the checksums say whether it is the same bit for bit.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from importlib import resources
from pathlib import Path
from typing import Annotated

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError

import regionwise
from regionwise.arrays import Mask
from regionwise.errors import DataError
from regionwise.holes import draw_hole

_DIGITS = 16
"""Hexadecimal digits kept of each mask's sha256; the set's own is whole."""

OBJECTS = "protocols/objects"


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class MaskSet(_Section):
    """Masks of one kind: a row of a table.

    `margins`: mask k has margin number k, in turn (see `draw_hole`). `masks`: the first digits of
    each mask's checksum. `sha256`: over all the masks' whole checksums.
    """

    name: str
    mixture: dict[str, Annotated[float, Field(gt=0)]]
    ratio: tuple[float, float] | None = None
    margins: tuple[Annotated[float, Field(ge=0, lt=0.5)], ...] = Field((0.0,), min_length=1)
    count: int = Field(gt=0)
    seed: int = Field(ge=0)
    size: tuple[Annotated[int, Field(gt=0)], Annotated[int, Field(gt=0)]]
    sha256: str = ""
    masks: tuple[str, ...] = ()

    def draw(self, number: int) -> Mask:
        """Mask `number`, 0 … count - 1; H×W bool, True = missing.

        Raises:
            DataError: if the mask is not the one the manifest names.
        """
        mask = self.draw_at(number, self.size)
        if self.masks and checksum(mask)[:_DIGITS] != self.masks[number]:
            raise DataError(
                f"mask {number} of {self.name!r} is not the manifest's, which another version "
                "made: install the version it names, or make a new manifest"
            )
        return mask

    def draw_at(self, number: int, size: tuple[int, int]) -> Mask:
        """Mask `number` at another size: by the same chance, without a checksum to hold it to."""
        rng = np.random.default_rng([self.seed, number])
        margin = self.margins[number % len(self.margins)]
        return draw_hole(size, rng, self.mixture, self.ratio, margin)

    def draw_all(self) -> Iterator[Mask]:
        """All masks in order.

        Raises:
            DataError: after the last one, if they are not those of the manifest.
        """
        digest = hashlib.sha256()
        for number in range(self.count):
            mask = self.draw(number)
            digest.update(bytes.fromhex(checksum(mask)))
            yield mask
        if self.sha256 and digest.hexdigest() != self.sha256:
            raise DataError(f"the masks of {self.name!r} are not those of the manifest")

    def sealed(self) -> MaskSet:
        """The same set with its checksums."""
        unsealed = self.model_copy(update={"sha256": "", "masks": ()})
        sums = [checksum(mask) for mask in unsealed.draw_all()]
        whole = hashlib.sha256(b"".join(map(bytes.fromhex, sums))).hexdigest()
        short = tuple(one[:_DIGITS] for one in sums)
        return self.model_copy(update={"sha256": whole, "masks": short})


class Manifest(_Section):
    """Sets of masks. As a protocol: the rows of a paper's table, and which of them make its "All".

    `source`: where the table is; `regionwise`: the version that drew the masks; `all`: names of the
    sets over which the row "All" goes, none if empty.
    """

    name: str
    title: str
    source: str = ""
    regionwise: str = regionwise.__version__
    all: tuple[str, ...] = ()
    sets: tuple[MaskSet, ...] = Field(min_length=1)

    def sealed(self) -> Manifest:
        """The same manifest with the checksums of its masks."""
        return self.model_copy(update={"sets": tuple(one.sealed() for one in self.sets)})

    def to_json(self) -> str:
        """The text of the file."""
        return self.model_dump_json(indent=1) + "\n"

    @property
    def sha256(self) -> str:
        """Checksum of the manifest itself, whatever its layout in the file."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()


def checksum(mask: Mask) -> str:
    """sha256 of a mask's size and pixels, eight in a byte."""
    head = f"{mask.shape[0]}x{mask.shape[1]}\n".encode()
    return hashlib.sha256(head + np.packbits(mask).tobytes()).hexdigest()


def protocol_names() -> list[str]:
    """The protocols that come with regionwise."""
    folder = resources.files("regionwise.evaluation") / "protocols"
    return sorted(Path(file.name).stem for file in folder.iterdir() if file.name.endswith(".json"))


def object_protocol_names() -> list[str]:
    """Those whose holes are drawn for each photo (`regionwise.evaluation.object_removal`)."""
    folder = resources.files("regionwise.evaluation") / OBJECTS
    return sorted(Path(file.name).stem for file in folder.iterdir())


def read_manifest(name_or_file: str | Path) -> Manifest:
    """A protocol by name, or a manifest from a file or from the folder it was written to.

    Raises:
        DataError: there is none, or it is broken.
    """
    file = Path(name_or_file)
    try:
        if str(name_or_file) in protocol_names():
            folder = resources.files("regionwise.evaluation") / "protocols"
            text = (folder / f"{name_or_file}.json").read_text(encoding="utf-8")
        else:
            inside = file / "manifest.json" if file.is_dir() else file
            text = inside.read_text(encoding="utf-8")
        return Manifest.model_validate_json(text)
    except FileNotFoundError:
        raise DataError(
            f"{name_or_file}: no such protocol or manifest; protocols: "
            f"{', '.join(protocol_names())}; for `evaluate` alone: "
            f"{', '.join(object_protocol_names())}"
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{name_or_file}: can't be read ({error})") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "the whole"
        raise DataError(f"{name_or_file}: not a manifest: {where}: {first['msg']}") from error
