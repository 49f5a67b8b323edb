"""Where many photos lie: folders, tar shards, lists, single files. Nothing is decoded here."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path

from regionwise.errors import DataError
from regionwise.photos.formats import is_picture_name
from regionwise.photos.photo_source import PhotoSource, pictures_in_tar


def find_photos(sources: Sequence[Path]) -> list[PhotoSource]:
    """All photos in folders (recursively), tar shards (webdataset's layout), lists and files.

    A list is a .txt file with a path a line, from the list's folder on; lines that start with #
    are passed over. What it names is not looked for here, but when it is read.

    Raises:
        DataError: if a source is missing or no photo is found.
    """
    photos: list[PhotoSource] = []
    for source in sources:
        if not source.exists():
            raise DataError(f"{source}: there is no such folder, shard, list or photo")
        inside = sorted(source.rglob("*")) if source.is_dir() else [source]
        for file in inside:
            if file.suffix == ".tar":
                photos += pictures_in_tar(file)
            elif is_picture_name(file.name):
                name = file.relative_to(source) if source.is_dir() else file.name
                photos.append(PhotoSource(file, str(name)))
            elif file == source and file.suffix == ".txt":
                photos += _photos_in_list(file)
    if not photos:
        where = ", ".join(map(str, sources))
        raise DataError(f"no photos in {where}; give photos, or folders, tars or lists of them")
    return photos


def is_held_out(photo: PhotoSource) -> bool:
    """Whether the photo is one of the twentieth that training leaves out, by its name's CRC-32."""
    return zlib.crc32(photo.name.encode()) % 20 == 0


def _photos_in_list(file: Path) -> Iterator[PhotoSource]:
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{file}: not a readable list ({error})") from error
    for line in lines:
        if line.strip() and not line.startswith("#"):
            yield PhotoSource(file.parent / line.strip(), line.strip())
