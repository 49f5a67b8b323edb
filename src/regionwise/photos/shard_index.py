"""What tar shards hold, listed once and kept beside them as Parquet.

To find the photos of a thousand tars all their heads must be read: minutes on a disk, hours in a
store of objects. `regionwise index` does it once; whoever reads the folder takes what the file
says of a tar as long as that has the same size, and reads the heads of others.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path

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

Members = tuple[list[str], list[int], list[int]]
"""Names, offsets and lengths of a tar's pictures."""


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
    sizes = shard_sizes(folder)
    if not sizes:
        raise DataError(f"{folder} holds no .tar; give the folder of the shards")
    known = _read_index(folder, sizes)
    listed = {name: known.get(name) or _scanned(within(folder, name)) for name in sizes}
    data = _as_parquet(listed, sizes)
    target = within(folder, NAME)
    if is_address(target):
        write_address(data, str(target), overwrite=True)
    else:
        write_whole(data, Path(target), overwrite=True)
    return len(listed), sum(len(names) for names, _, _ in listed.values())


def shard_sizes(folder: Place) -> dict[str, int]:
    """Bytes of each tar in a folder and its sub-folders, by name, in order."""
    if is_address(folder):
        found = {name: size for name, size in files_below(folder).items() if _is_tar(name)}
    else:
        home = Path(folder)
        found = {
            file.relative_to(home).as_posix(): file.stat().st_size
            for file in home.rglob("*.tar")
            if file.is_file()
        }
    return dict(sorted(found.items()))


def pictures_in_shards(folder: Place, names: Sequence[str]) -> Iterator[tuple[str, PhotoSource]]:
    """The pictures of some tars of a folder, each with its tar's name; by the index if it is there.

    Raises:
        DataError: if a tar isn't readable.
        PhotoError: if a store can't be asked.
    """
    known: dict[str, Members] = {}
    if _has_index(folder) and find_spec("pyarrow") is not None:
        sizes = shard_sizes(folder)
        known = _read_index(folder, {name: sizes[name] for name in names if name in sizes})
    for name in names:
        place = within(folder, name)
        if name in known:
            for member, offset, length in zip(*known[name], strict=True):
                yield name, PhotoSource(place, member, offset, length)
        else:
            for picture in pictures_in_tar(place):
                yield name, picture


def _is_tar(name: str) -> bool:
    return name.endswith(".tar")


def _scanned(tar: Place) -> Members:
    found = list(pictures_in_tar(tar))
    return [p.name for p in found], [p.offset for p in found], [p.length for p in found]


def _has_index(folder: Place) -> bool:
    if is_address(folder):
        return NAME in files_below(folder)
    return Path(folder, NAME).is_file()


def _as_parquet(listed: dict[str, Members], sizes: dict[str, int]) -> bytes:
    """A row a picture, in the order of the tars; a tar's rows are a group, read by itself."""
    import pyarrow
    import pyarrow.parquet

    schema = pyarrow.schema(
        [
            ("tar", pyarrow.dictionary(pyarrow.int32(), pyarrow.string())),
            ("tar_bytes", pyarrow.int64()),
            ("name", pyarrow.string()),
            ("offset", pyarrow.int64()),
            ("length", pyarrow.int64()),
        ]
    )
    buffer = io.BytesIO()
    with pyarrow.parquet.ParquetWriter(buffer, schema) as writer:
        for tar, (names, offsets, lengths) in listed.items():
            count = len(names)
            columns = [
                pyarrow.array([tar] * count).dictionary_encode(),
                [sizes[tar]] * count,
                names,
                offsets,
                lengths,
            ]
            writer.write_table(pyarrow.table(columns, schema=schema))
    return buffer.getvalue()


def _read_index(folder: Place, sizes: dict[str, int]) -> dict[str, Members]:
    """What the index says of the tars that have the same size still."""
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
        table = pyarrow.parquet.read_table(source)
        columns = table.to_pydict()
    except (OSError, pyarrow.ArrowException, RegionwiseError) as error:
        raise DataError(
            f"{target} is no readable index ({' '.join(str(error).split())[:120]}); remove it"
        ) from error
    found: dict[str, Members] = {}
    for tar, size, name, offset, length in zip(*columns.values(), strict=True):
        if sizes.get(tar) == size:
            names, offsets, lengths = found.setdefault(tar, ([], [], []))
            names.append(name)
            offsets.append(offset)
            lengths.append(length)
    return found
