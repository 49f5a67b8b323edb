"""Where the bytes of a picture lie that is read later: nothing is opened before."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


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
