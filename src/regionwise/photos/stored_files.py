"""Files that lie elsewhere: addresses such as s3://bucket/a.jpg, read and written by fsspec."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, TypeAlias, TypeVar, cast

from regionwise.errors import OutputError, PhotoError, RegionwiseError

Place: TypeAlias = Path | str
"""A file or folder of this computer, or an address."""

_ADDRESS = re.compile(r"^([a-z][a-z0-9+.-]+):/{1,2}(?=[^/])|^(file):///", re.IGNORECASE)
_WEB = ("http", "https", "ftp", "data")
_SHARED_WEB = ("http", "https")

Answer = TypeVar("Answer")


def is_address(source: str | os.PathLike[str]) -> bool:
    """Whether a path is an address: it begins with a protocol, as s3://."""
    text = os.fspath(source)
    return isinstance(text, str) and _ADDRESS.match(text) is not None and not os.path.exists(text)


def place_of(source: str | os.PathLike[str]) -> Place:
    """An address as text, with the two slashes that `Path` makes one of; all else as a path."""
    return address_of(source) if is_address(source) else Path(source)


def address_of(source: str | os.PathLike[str]) -> str:
    """An address with all slashes behind its protocol, and none at its end."""
    return _ADDRESS.sub(_with_slashes, os.fspath(source)).rstrip("/")


def _with_slashes(begin: re.Match[str]) -> str:
    """The begin of an address; of a file of this computer, with the root's slash."""
    if begin.group(2) or begin.group().lower() == "file:/":
        return "file:///"
    return f"{begin.group(1)}://"


def full_place(source: str | os.PathLike[str]) -> str:
    """A place that is the same from any folder."""
    return address_of(source) if is_address(source) else str(Path(source).resolve())


def within(folder: Place, name: str) -> Place:
    """A file in a folder, by its name there."""
    return f"{address_of(folder)}/{name}" if is_address(folder) else Path(folder, name)


def _protocol(address: str) -> str:
    found = _ADDRESS.match(address)
    return (found.group(1) or found.group(2)).lower() if found else ""


def _lacks() -> str | None:
    """What to install; None if fsspec is there."""
    try:
        import fsspec  # noqa: F401
    except ImportError:
        return 'is an address; to read such ones pip install "regionwise[storage]"'
    return None


def _refusal(address: str) -> str | None:
    """Why an address of a single file is not one of ours; None if fsspec may try."""
    if _protocol(address) in _WEB:
        return f"{address} is on the web, and regionwise loads nothing from there; save it first"
    return f"{address} {lacks}" if (lacks := _lacks()) else None


def _store_of(address: str | os.PathLike[str]) -> tuple[Any, str]:
    """The file system and the path in it; one a process, made anew after a fork."""
    import fsspec

    store, path = fsspec.core.url_to_fs(address_of(address))
    return store, path


def _asked(address: str, what: Callable[[], Answer]) -> Answer:
    """What a store answers.

    Raises:
        PhotoError: whatever it was that went wrong, in one line.
    """
    try:
        return what()
    except RegionwiseError:
        raise
    except FileNotFoundError as error:
        raise PhotoError(f"{address} does not exist; check the name") from error
    except Exception as error:  # each store has errors of its own
        raise PhotoError(f"{address} can't be read ({_said(error)}); check it") from error


def read_address(address: str) -> bytes:
    """All bytes of a stored file.

    Raises:
        PhotoError: if it is an address of the web, fsspec is not there, or it can't be read.
    """
    if reason := _refusal(address):
        raise PhotoError(reason)
    return read_part(address)


def read_part(address: str | os.PathLike[str], offset: int = 0, length: int = -1) -> bytes:
    """Bytes of a stored file; of a part of it no more is loaded than that.

    Unlike a single photo, what a folder or shard on the web (http, https) holds is loaded: whoever
    names such a place as the home of many photos means it.

    Args:
        address: of the file.
        offset: of the first byte.
        length: -1 for all the rest.

    Raises:
        PhotoError: if it can't be read.
    """
    address = address_of(address)

    def read() -> bytes:
        store, path = _store_of(address)
        end = None if length < 0 else offset + length
        data = cast(bytes, store.cat_file(path, start=offset or None, end=end))
        if 0 <= length != len(data):
            raise PhotoError(
                f"{address} gave {len(data)} bytes for {length}; it was cut short, "
                "or its server gives no parts of files"
            )
        return data

    return _asked(_checked(address), read)


def _checked(address: str) -> str:
    if _protocol(address) in _WEB and _protocol(address) not in _SHARED_WEB:
        raise PhotoError(f"{address} can't be read; of the web http and https are")
    if lacks := _lacks():
        raise PhotoError(f"{address} {lacks}")
    return address


def is_address_folder(address: str | os.PathLike[str]) -> bool:
    """Whether an address is a folder, or what stores have in its place.

    Raises:
        PhotoError: if the store can't be asked.
    """
    if _protocol(os.fspath(address)) in _WEB:
        return os.fspath(address).endswith("/")

    def ask() -> bool:
        store, path = _store_of(address)
        return bool(store.isdir(path))

    return _asked(_checked(address_of(address)), ask)


def address_exists(address: str | os.PathLike[str]) -> bool:
    """Whether there is such a file or folder.

    Raises:
        PhotoError: if the store can't be asked.
    """

    def ask() -> bool:
        store, path = _store_of(address)
        store.invalidate_cache()
        return bool(store.exists(path))

    return _asked(_checked(address_of(address)), ask)


def files_below(address: str | os.PathLike[str]) -> dict[str, str]:
    """The files of a folder and its sub-folders by name within it; none if it isn't there.

    With each a word that is another one when the file has been written anew.

    Raises:
        PhotoError: if the store can't be asked.
    """

    def ask() -> dict[str, str]:
        store, path = _store_of(address)
        root = path.rstrip("/") + "/"
        store.invalidate_cache()  # others write there too
        try:
            found = store.find(path, detail=True)
        except FileNotFoundError:
            return {}
        return {
            name.removeprefix(root): _version(about)
            for name, about in found.items()
            if name.startswith(root) and about.get("type") != "directory"
        }

    return _asked(_checked(address_of(address)), ask)


_VERSIONS = ("ETag", "etag", "md5Hash", "mtime", "LastModified", "last_modified", "created")


def _version(about: Mapping[str, Any]) -> str:
    known = [str(about[name]) for name in _VERSIONS if about.get(name)]
    return " ".join([str(about.get("size")), *known[:1]])


def names_in(folder: Place) -> frozenset[str]:
    """The names of what lies in a folder itself; none if it isn't there.

    Raises:
        PhotoError: if a store can't be asked.
    """
    if not is_address(folder):
        try:
            return frozenset(os.listdir(folder))
        except OSError:
            return frozenset()

    def ask() -> frozenset[str]:
        store, path = _store_of(folder)
        store.invalidate_cache()
        try:
            found = store.ls(path, detail=False)
        except FileNotFoundError:
            return frozenset()
        return frozenset(name.rstrip("/").rpartition("/")[2] for name in found)

    return _asked(_checked(address_of(folder)), ask)


@contextmanager
def open_address(address: str | os.PathLike[str]) -> Iterator[BinaryIO]:
    """A stored file open for reading, of which parts are loaded as they are needed.

    Raises:
        PhotoError: if it can't be opened.
    """

    def opened() -> Any:
        store, path = _store_of(address)
        # A tar is read in small steps from front to back; its photos are passed over.
        return store.open(path, "rb", block_size=1 << 16, cache_type="readahead")

    with _asked(_checked(address_of(address)), opened) as file:
        yield file


def check_address(address: str, *, overwrite: bool) -> None:
    """Find out, before any slow work, whether something may be written.

    Raises:
        OutputError: if it may not.
    """
    if reason := _refusal(address):
        raise OutputError(reason)
    if overwrite:
        return
    try:
        exists = address_exists(address)
    except PhotoError as error:
        raise OutputError(str(error).replace("can't be read", "can't be written")) from error
    if exists:
        raise OutputError(f"{address} exists already; give `overwrite` to replace it")


def write_address(data: bytes, address: str, *, overwrite: bool = False) -> None:
    """Write a stored file; stores show it when it is whole.

    Raises:
        OutputError: if it can't be written, or exists and `overwrite` is off.
    """
    check_address(address, overwrite=overwrite)
    try:
        store, path = _store_of(address)
        parent = store._parent(path)
        if parent and _protocol(address) in ("file", "local", "memory", "sftp", "ssh", "smb"):
            store.makedirs(parent, exist_ok=True)
        store.pipe_file(path, data)
    except Exception as error:
        raise OutputError(f"{address} can't be written ({_said(error)}); check it") from error


def _said(error: Exception) -> str:
    return " ".join(str(error).split())[:120] or type(error).__name__
