"""Where many photos lie: folders, tar shards, lists, single files. Nothing is decoded here."""

from __future__ import annotations

import os
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path

from regionwise.errors import DataError
from regionwise.photos.formats import is_picture_name
from regionwise.photos.photo_index import PhotoIndex
from regionwise.photos.photo_source import PhotoSource, names_below, pictures_in_tar
from regionwise.photos.shard_index import pictures_in_shards
from regionwise.photos.stored_files import (
    Place,
    address_exists,
    is_address,
    is_address_folder,
    place_of,
    read_part,
)

_Entry = tuple[Place, str, int, int]


def find_photos(sources: Sequence[Path | str]) -> PhotoIndex:
    """All photos in folders (recursively), tar shards (webdataset's layout), lists and files.

    Each may be an address such as s3://. A list is a .txt file with a path a line, from the list's
    folder on; lines that start with # are passed over. What it names is not looked for here, but
    when it is read.

    Raises:
        DataError: if a source is missing or no photo is found.
        PhotoError: if a store can't be asked.
    """
    photos = PhotoIndex.of(entry for source in sources for entry in _entries(place_of(source)))
    if not photos:
        where = ", ".join(map(str, sources))
        raise DataError(f"no photos in {where}; give photos, or folders, tars or lists of them")
    return photos


def is_held_out(photo: PhotoSource) -> bool:
    """Whether the photo is one of the twentieth that training leaves out, by its name's CRC-32."""
    return has_held_out_name(photo.name)


def has_held_out_name(name: str) -> bool:
    """As `is_held_out`, by the name alone."""
    return zlib.crc32(name.encode("utf-8", "surrogateescape")) % 20 == 0


def _entries(source: Place) -> Iterator[_Entry]:
    """The photos of one source."""
    if _is_folder(source):
        yield from _in_folder(source)
        return
    parent, _, name = os.fspath(source).rpartition("/")
    folder = place_of(parent or ("." if "/" not in os.fspath(source) else "/"))
    if name.endswith(".tar"):
        yield from map(_part, pictures_in_tar(source))
    elif name.endswith(".txt"):
        for line in _lines(source):
            yield folder, line, 0, -1
    elif is_picture_name(name):
        yield folder, name, 0, -1


def _is_folder(source: Place) -> bool:
    """Whether it is one.

    Raises:
        DataError: if nothing is there.
    """
    there = address_exists(source) if is_address(source) else Path(source).exists()
    if not there:
        raise DataError(f"{source}: there is no such folder, shard, list or photo")
    return is_address_folder(source) if is_address(source) else Path(source).is_dir()


def _in_folder(folder: Place) -> Iterator[_Entry]:
    names = names_below(folder)
    tars = [name for name in names if name.endswith(".tar")]
    inside = pictures_in_shards(folder, tars)
    ahead = next(inside, None)
    for name in names:
        if name.endswith(".tar"):
            while ahead is not None and ahead[0] == name:
                yield _part(ahead[1])
                ahead = next(inside, None)
        elif is_picture_name(name):
            yield folder, name, 0, -1


def _part(photo: PhotoSource) -> _Entry:
    return photo.file, photo.name, photo.offset, photo.length


def _lines(file: Place) -> Iterator[str]:
    try:
        data = read_part(file) if is_address(file) else Path(file).read_bytes()
        lines = data.decode("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{file}: not a readable list ({error})") from error
    for line in lines:
        if line.strip() and not line.startswith("#"):
            yield line.strip()
