"""Which pictures a place holds: a folder, an address, a tar shard, or a folder of shards."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath

from regionwise.photos.formats import (
    FOREIGN_SUFFIXES,
    HEAD,
    format_of_bytes,
    is_picture_name,
    what_it_is,
)
from regionwise.photos.photo_source import PhotoSource, path_order, pictures_in_tar
from regionwise.photos.shard_index import pictures_in_shards
from regionwise.photos.stored_files import Place, address_of, files_below, is_address

TAR = ".tar"

Entry = tuple[Place, str, int, int]
"""As `regionwise.photos.photo_index.PhotoIndex` takes them."""

# Of files that are never pictures, so that they need not be opened to know it.
_NO_PICTURES = frozenset(
    (".avi", ".cls", ".csv", ".db", ".doc", ".docx", ".gz", ".htm", ".html", ".ini", ".json",
     ".jsonl", ".log", ".md", ".mkv", ".mov", ".mp3", ".mp4", ".npy", ".npz", ".parquet", ".pdf",
     ".py", ".tar", ".tsv", ".txt", ".wav", ".xml", ".xmp", ".yaml", ".yml", ".zip")
)  # fmt: skip


def list_pictures(
    home: Place, *, apart: Iterable[Place] = (), named_alone: bool = False
) -> list[Entry]:
    """The pictures of a place in the order of their names, hidden ones not.

    A folder that holds pictures is taken at its word. One that holds tars alone is a folder of
    shards: a picture's name is then that of its shard, without its suffix, and its name in it.

    Args:
        home: a folder, an address, or one tar.
        apart: places inside whose files are passed over.
        named_alone: only what its name says to be a picture; else also what would be one by its
            first bytes, and files of other programs, so that none is left out without a word.

    Raises:
        DataError: if a tar isn't readable.
        PhotoError: if a store can't be asked.
    """
    if str(home).endswith(TAR) and not os.path.isdir(home):
        return _sorted(_entry(picture.name, picture) for picture in pictures_in_tar(home))
    if is_address(home):
        names = _names_at(address_of(home), [address_of(one) for one in apart if is_address(one)])
    else:
        names = _names_in(Path(home), [Path(one) for one in apart if not is_address(one)])
    pictures: list[Entry] = []
    tars: list[str] = []
    for name in names:
        if name.endswith(TAR):
            tars.append(name)
        elif _is_wanted(home, name, named_alone=named_alone):
            pictures.append((home, name, 0, -1))
    if pictures or not tars:
        return _sorted(pictures)
    inside = pictures_in_shards(home, sorted(tars))
    return _sorted(_entry(f"{tar[: -len(TAR)]}/{one.name}", one) for tar, one in inside)


def _entry(name: str, picture: PhotoSource) -> Entry:
    return picture.file, name, picture.offset, picture.length


def _sorted(entries: Iterable[Entry]) -> list[Entry]:
    return sorted(entries, key=lambda entry: path_order(entry[1]))


def _is_wanted(home: Place, name: str, *, named_alone: bool) -> bool:
    if is_picture_name(name):
        return True
    suffix = PurePosixPath(name).suffix.lower()
    if named_alone:
        return False
    if suffix in FOREIGN_SUFFIXES:
        return True
    # In a store each file that is opened costs a request.
    return not is_address(home) and suffix not in _NO_PICTURES and _is_picture(Path(home, name))


def _is_picture(file: Path) -> bool:
    try:
        if not file.is_file():
            return False
        with file.open("rb") as stream:
            head = stream.read(HEAD)
    except OSError:
        return False
    if format_of_bytes(head):
        return len(head) >= 16 and (head[:2] != b"BM" or head[6:10] == bytes(4))
    said = what_it_is(head)
    return not said.startswith(("not a picture", "a video", "a PDF"))


def _names_at(home: str, apart: list[str]) -> Iterator[str]:
    """The names of a store's files; hidden ones, and those of folders apart, not."""
    inside = [one.removeprefix(home + "/") for one in apart if one.startswith(home + "/")]
    for name in files_below(home):
        hidden = any(part.startswith(".") for part in name.split("/"))
        if not hidden and not any(name == one or name.startswith(one + "/") for one in inside):
            yield name


def _names_in(home: Path, apart: list[Path]) -> Iterator[str]:
    """The names of a folder's files; hidden ones, and those of folders apart, not."""
    places = {str(place.resolve()) for place in apart} - {str(home.resolve())}
    waiting = [""]
    while waiting:
        inside = waiting.pop()
        folder = os.path.join(home, inside)
        # Where the folder really lies: a link on the way to it may lead into one apart.
        real = os.path.realpath(folder) if places else ""
        try:
            found = list(os.scandir(folder))
        except OSError:
            continue
        for entry in found:
            if entry.name.startswith("."):
                continue
            name = f"{inside}/{entry.name}" if inside else entry.name
            link = entry.is_symlink()
            if places:
                # Unlike resolve() it bears a link to itself.
                at = os.path.realpath(entry.path) if link else os.path.join(real, entry.name)
                if _lies_in(at, places, through=link):
                    continue
            if not _is_folder(entry):
                yield name
            elif not link:
                waiting.append(name)


def _lies_in(at: str, places: set[str], *, through: bool) -> bool:
    """Whether a file or folder is one of the places, or by a link lies in one."""
    return at in places or (through and any(at.startswith(place + os.sep) for place in places))


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False
