"""What tar shards hold, listed once and kept beside them as Parquet.

To find the photos of a thousand tars all their heads must be read: minutes on a disk, hours in a
store of objects. `regionwise index` does it once; whoever reads the folder takes what the file
says of a tar as long as that has not been written anew, and reads the heads of others.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from regionwise.errors import DataError, OutputError, RegionwiseError
from regionwise.output import write_whole
from regionwise.photos.photo_source import PhotoSource, pictures_in_tar
from regionwise.photos.stored_files import (
    Place,
    files_below,
    is_address,
    read_part,
    within,
    write_address,
)

NAME = "regionwise_index.parquet"

Members = Iterable[tuple[str, int, int]]
"""Name, offset and length of each of a tar's pictures."""


def write_shard_index(folder: Place) -> tuple[int, int]:
    """List the pictures of all tars of a folder and its sub-folders in a file beside them.

    Returns:
        How many tars and how many pictures there are.

    Raises:
        DataError: if there is no tar, or one can't be read.
        OutputError: if the file can't be written, or pyarrow is not installed.
    """
    if find_spec("pyarrow") is None:
        raise OutputError("an index needs pyarrow: pip install pyarrow")
    versions = _versions(folder)
    if not versions:
        raise DataError(f"{folder} holds no .tar; give the folder of the shards")
    known = _read_index(folder, versions)
    listed = {
        name: _members(known[name]) if name in known else _scanned(within(folder, name))
        for name in versions
    }
    data, pictures = _as_parquet(listed, versions)
    target = within(folder, NAME)
    if is_address(target):
        write_address(data, str(target), overwrite=True)
    else:
        write_whole(data, Path(target), overwrite=True)
    return len(listed), pictures


def _versions(folder: Place) -> dict[str, str]:
    """Each tar in a folder and its sub-folders, in order, with a word that says which one it is."""
    if is_address(folder):
        found = {name: word for name, word in files_below(folder).items() if name.endswith(".tar")}
    else:
        home = Path(folder)
        found = {
            file.relative_to(home).as_posix(): f"{about.st_size} {about.st_mtime_ns}"
            for file in home.rglob("*.tar")
            if file.is_file() and (about := file.stat())
        }
    return dict(sorted(found.items()))


def pictures_in_shards(folder: Place, names: Sequence[str]) -> Iterator[tuple[str, PhotoSource]]:
    """The pictures of some tars of a folder, each with its tar's name; by the index if it is there.

    Raises:
        DataError: if a tar isn't readable.
        PhotoError: if a store can't be asked.
    """
    known: dict[str, Any] = {}
    if _has_index(folder) and find_spec("pyarrow") is not None:
        known = _read_index(folder, _versions(folder))
    for name in names:
        place = within(folder, name)
        if name in known:
            for member, offset, length in _members(known[name]):
                yield name, PhotoSource(place, member, offset, length)
        else:
            for picture in pictures_in_tar(place):
                yield name, picture


def _scanned(tar: Place) -> Members:
    return ((found.name, found.offset, found.length) for found in pictures_in_tar(tar))


def _members(rows: Any) -> Members:
    """The pictures of a tar by its rows of the index, a pyarrow table."""
    columns = (rows[name].to_pylist() for name in ("name", "offset", "length"))
    return zip(*columns, strict=True)


def _has_index(folder: Place) -> bool:
    if is_address(folder):
        return NAME in files_below(folder)
    return Path(folder, NAME).is_file()


def _as_parquet(listed: dict[str, Members], versions: dict[str, str]) -> tuple[bytes, int]:
    """A row a picture, in the order of the tars; a tar's rows are a group, read by itself."""
    import pyarrow
    import pyarrow.parquet

    schema = pyarrow.schema(
        [
            ("tar", pyarrow.dictionary(pyarrow.int32(), pyarrow.string())),
            ("version", pyarrow.dictionary(pyarrow.int32(), pyarrow.string())),
            ("name", pyarrow.string()),
            ("offset", pyarrow.int64()),
            ("length", pyarrow.int64()),
        ]
    )
    buffer, count = io.BytesIO(), 0
    with pyarrow.parquet.ParquetWriter(buffer, schema) as writer:
        for tar, members in listed.items():
            found = list(members)
            columns = [
                pyarrow.array([tar] * len(found), pyarrow.string()).dictionary_encode(),
                pyarrow.array([versions[tar]] * len(found), pyarrow.string()).dictionary_encode(),
                *([member[number] for member in found] for number in range(3)),
            ]
            if found:
                writer.write_table(pyarrow.table(columns, schema=schema))
            count += len(found)
    return buffer.getvalue(), count


def _read_index(folder: Place, versions: dict[str, str]) -> dict[str, Any]:
    """The rows of each tar that has not been written anew, as pyarrow has them: few bytes each."""
    import pyarrow
    import pyarrow.parquet

    if not _has_index(folder):
        return {}
    target = within(folder, NAME)
    try:
        source = (
            pyarrow.BufferReader(read_part(target))
            if is_address(target)
            else pyarrow.memory_map(str(target))
        )
        with pyarrow.parquet.ParquetFile(source) as file:
            groups = [file.read_row_group(number) for number in range(file.num_row_groups)]
    except (OSError, pyarrow.ArrowException, RegionwiseError) as error:
        raise DataError(
            f"{target} is no readable index ({' '.join(str(error).split())[:120]}); remove it"
        ) from error
    found = {}
    for rows in groups:
        tar, version = str(rows["tar"][0]), str(rows["version"][0])
        if versions.get(tar) == version:
            found[tar] = rows.select(["name", "offset", "length"])
    return found
