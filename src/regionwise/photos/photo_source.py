"""Where the bytes of a picture lie that is read later: nothing is opened before."""

from __future__ import annotations

import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from regionwise.errors import DataError
from regionwise.photos.formats import is_picture_name


@dataclass(frozen=True)
class PhotoSource:
    """Where a photo's or a mask's bytes lie: a file, or a part of a tar shard.

    The name is the path inside its folder or shard: the same wherever these are kept.
    """

    file: Path
    name: str
    offset: int = 0
    length: int = -1

    def read(self) -> bytes:
        """The file's bytes."""
        with self.file.open("rb") as stream:
            stream.seek(self.offset)
            return stream.read(self.length)


def pictures_in_tar(file: Path) -> Iterator[PhotoSource]:
    """The pictures of a plain tar (webdataset's layout), in its order; nothing is decoded.

    Raises:
        DataError: if it isn't a readable tar.
    """
    try:
        with tarfile.open(file, "r:") as archive:
            for member in archive:
                if member.isfile() and is_picture_name(member.name):
                    yield PhotoSource(file, member.name, member.offset_data, member.size)
    except tarfile.TarError as error:
        raise DataError(f"{file}: not a readable tar ({' '.join(str(error).split())})") from error
