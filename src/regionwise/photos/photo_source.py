"""Where the bytes of a picture lie that is read later: nothing is opened before."""

from __future__ import annotations

import os
import tarfile
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from regionwise.errors import DataError
from regionwise.photos.formats import is_picture_name
from regionwise.photos.stored_files import (
    Place,
    address_of,
    files_below,
    is_address,
    open_address,
    read_part,
)


@dataclass(frozen=True, slots=True)
class PhotoSource:
    """Where a photo's or a mask's bytes lie: a file, or a part of a tar shard; here or elsewhere.

    The name is the path inside its folder or shard: the same wherever these are kept.
    """

    file: Place
    name: str
    offset: int = 0
    length: int = -1

    def read(self) -> bytes:
        """The file's bytes; of a stored shard no more than this part is loaded.

        Raises:
            OSError: if it can't be read.
            PhotoError: likewise, for an address.
        """
        if is_address(self.file):
            return read_part(self.file, self.offset, self.length)
        with open(self.file, "rb") as stream:
            stream.seek(self.offset)
            return stream.read(self.length)

    @property
    def is_part(self) -> bool:
        """Whether it is a part of a tar."""
        return self.length >= 0

    def __str__(self) -> str:
        """What to call it in messages: the file, or FILE:NAME for a part of a tar."""
        place = address_of(self.file) if is_address(self.file) else os.fspath(self.file)
        return f"{place}:{self.name}" if self.is_part else place


def pictures_in_tar(file: Place) -> Iterator[PhotoSource]:
    """The pictures of a plain tar (webdataset's layout), in its order; nothing is decoded.

    Raises:
        DataError: if it isn't a readable tar.
        PhotoError: if it has an address and can't be opened.
    """
    with _opened(file) as stream:
        try:
            with tarfile.open(fileobj=stream, mode="r:") as archive:
                for member in archive:
                    if member.isfile() and is_picture_name(member.name):
                        yield PhotoSource(file, member.name, member.offset_data, member.size)
        except tarfile.TarError as error:
            said = " ".join(str(error).split())
            raise DataError(f"{file}: not a readable tar ({said})") from error


def _opened(file: Place) -> AbstractContextManager[BinaryIO]:
    return open_address(file) if is_address(file) else open(file, "rb")


def names_below(folder: Place) -> list[str]:
    """The names of all files in a folder and its sub-folders, in the order of their paths."""
    names: Iterable[str] = files_below(folder) if is_address(folder) else _walked(Path(folder))
    return sorted(names, key=path_order)


def path_order(name: str) -> str:
    """A key that sorts names as `Path` sorts paths: folder by folder."""
    return name.replace("/", "\0")


def _walked(folder: Path) -> Iterator[str]:
    start = len(os.path.join(folder, ""))
    for parent, _, files in os.walk(folder):
        inside = parent[start:].replace(os.sep, "/")
        for name in files:
            yield f"{inside}/{name}" if inside else name
