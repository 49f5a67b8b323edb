"""Which photos of a dataset the papers train and test on, as lists that `--photos` takes.

A split is data: `recipes/splits`. Where a paper says "randomly selected", nobody can draw the same
again; then the draw is ours, by the photos' names alone, so that it is the same for everybody.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from fnmatch import fnmatch
from pathlib import Path, PurePath

from pydantic import Field

from regionwise.data.photo_sources import find_photos
from regionwise.errors import DataError
from regionwise.recipe.section import Section
from regionwise.reproduce.shipped_section import read_shipped_section, shipped_section_names


class Archive(Section):
    """A file as the dataset's authors publish it.

    Attributes:
        name: of the file.
        md5: of its content.
        instead_of: the name of the one that it stands for, smaller.
    """

    name: str
    md5: str
    instead_of: str = ""


class Partition(Section):
    """A file with a photo and a value a line; the lines with one value count."""

    file: str
    value: str


class PhotoList(Section):
    """Which photos are in a list; the keys are followed one after the other.

    Attributes:
        under: patterns of folders; photos anywhere below one that matches.
        from_list: an earlier list, whose photos alone count ("from" in the file).
        except_list: an earlier list, whose photos don't ("except" in the file).
        partition: a file of the dataset that says it.
        first: so many, in the order of their names.
        draw: so many by chance, the same for everybody, see `drawn`.
        count: how many there must be.
    """

    under: tuple[str, ...] = ()
    from_list: str | None = Field(default=None, alias="from")
    except_list: str | None = Field(default=None, alias="except")
    partition: Partition | None = None
    first: int | None = Field(default=None, gt=0)
    draw: int | None = Field(default=None, gt=0)
    count: int | None = Field(default=None, gt=0)


class DatasetSplit(Section):
    """A dataset's lists.

    Attributes:
        title: of the dataset.
        home: where it can be had.
        archives: with published checksums.
        lists: by name, in the order in which they are made.
    """

    title: str
    home: str
    archives: tuple[Archive, ...] = ()
    lists: dict[str, PhotoList] = Field(min_length=1)

    def photos(self, folder: Path) -> dict[str, list[str]]:
        """The names of each list's photos, as paths in the folder, sorted.

        Raises:
            DataError: if the folder does not hold what the split needs.
        """
        names = sorted(photo.name for photo in find_photos([folder]))
        made: dict[str, list[str]] = {}
        for name, rule in self.lists.items():
            made[name] = _chosen(name, rule, names, made, folder)
        return made


def read_split(name: str) -> DatasetSplit:
    """A shipped split by its name, or one of your own by its file.

    Raises:
        RecipeError: if there is none, or it is wrong; one line.
    """
    return read_shipped_section(name, "split", DatasetSplit)


def split_names() -> list[str]:
    """The names of all shipped splits."""
    return shipped_section_names("split")


def drawn(names: Sequence[str], count: int) -> list[str]:
    """So many of the names by chance: those whose file names have the smallest SHA-256.

    The folder that they lie in does not matter, nor which other photos are there.
    """
    return sorted(sorted(names, key=lambda n: _digest(PurePath(n).name))[:count])


def check_archive(file: Path, archives: Sequence[Archive]) -> str:
    """Hold an archive against its published checksum, and say what came of it.

    Raises:
        DataError: if it is another file than the one that was published, or can't be read.
    """
    known = {archive.name: archive for archive in archives}
    if file.name not in known:
        return f"{file.name}: no checksum was published"
    try:
        with file.open("rb") as stream:
            digest = hashlib.file_digest(stream, "md5").hexdigest()
    except OSError as error:
        raise DataError(f"{file}: can't be read ({error})") from error
    if digest != known[file.name].md5:
        raise DataError(f"{file}: not as it was published (its MD5 is {digest}); get it anew")
    return f"{file.name}: as published"


def list_text(split: DatasetSplit, name: str, photos: Sequence[str], folder: Path, to: Path) -> str:
    """A list as `--photos` reads it: a line each, from the list's folder on."""
    way = os.path.relpath(folder, to)
    lines = [f"# {split.title}: {name}, {len(photos)} photos"]
    lines += [str(PurePath(way) / photo) for photo in photos]
    return "\n".join(lines) + "\n"


def _chosen(
    name: str, rule: PhotoList, names: list[str], made: dict[str, list[str]], folder: Path
) -> list[str]:
    chosen = names
    if rule.under:
        chosen = [one for one in chosen if _lies_under(one, rule.under)]
    if rule.from_list is not None:
        chosen = made[rule.from_list]
    if rule.except_list is not None:
        left_out = set(made[rule.except_list])
        chosen = [one for one in chosen if one not in left_out]
    if rule.partition is not None:
        wanted = _partition(folder / rule.partition.file, rule.partition.value)
        chosen = [one for one in chosen if PurePath(one).name in wanted]
    least = rule.first or rule.draw or 1
    if len(chosen) < least:
        raise DataError(f"{folder}: {name} needs {least} photos, and there are {len(chosen)}")
    if rule.first is not None:
        chosen = chosen[: rule.first]
    if rule.draw is not None:
        chosen = drawn(chosen, rule.draw)
    return chosen


def _lies_under(name: str, patterns: Sequence[str]) -> bool:
    folders = PurePath(name).parts[:-1]
    return any(fnmatch(folder, pattern) for folder in folders for pattern in patterns)


def _partition(file: Path, value: str) -> set[str]:
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{file}: the dataset's partition can't be read ({error})") from error
    pairs = (line.split() for line in lines if line.strip())
    return {pair[0] for pair in pairs if len(pair) == 2 and pair[1] == value}


def _digest(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()
