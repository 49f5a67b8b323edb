"""Where filled photos go: files and addresses, or the tars of a data set."""

from __future__ import annotations

import io
import json
import tarfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from tempfile import TemporaryFile
from typing import BinaryIO, Protocol

from regionwise.errors import OutputError, RegionwiseError
from regionwise.filling.outcome import FillOutcome, outcome_from_row
from regionwise.output import check_output, whole_file, write_whole
from regionwise.photos.stored_files import (
    Place,
    address_of,
    check_address,
    is_address,
    names_in,
    read_part,
    within,
    write_address,
)


class Results(Protocol):
    """What a filled photo is written to."""

    def check(self, target: Place) -> None:
        """Find out early, before any slow work, that a result can't be written.

        Raises:
            OutputError: if it can't.
        """
        ...

    def write(self, data: bytes, target: Place) -> None:
        """Write a result, whole or not at all.

        Raises:
            OutputError: if it can't be written.
        """
        ...


class FileResults:
    """A file for each photo, of this computer or at an address; its folder is made."""

    def __init__(self, *, overwrite: bool = False) -> None:
        """Write files.

        Args:
            overwrite: replace what is there.
        """
        self._overwrite = overwrite

    def check(self, target: Place) -> None:
        """See `Results`."""
        if is_address(target):
            check_address(address_of(target), overwrite=self._overwrite)
            return
        make_folder(Path(target).parent)
        check_output(Path(target), overwrite=self._overwrite)

    def write(self, data: bytes, target: Place) -> None:
        """See `Results`."""
        if is_address(target):
            write_address(data, address_of(target), overwrite=self._overwrite)
        else:
            write_whole(data, Path(target), overwrite=self._overwrite)


class TarResults:
    """Results as members of one tar, by their names in the folder of results."""

    def __init__(self, archive: tarfile.TarFile, home: Place) -> None:
        """Add to an archive.

        Args:
            archive: open for writing.
            home: the folder of results.
        """
        self._archive, self._home = archive, home

    def check(self, target: Place) -> None:
        """A tar takes all."""

    def write(self, data: bytes, target: Place) -> None:
        """See `Results`."""
        name = PurePosixPath(str(target)).relative_to(PurePosixPath(str(self._home)))
        member = tarfile.TarInfo(str(name))
        member.size = len(data)
        self._archive.addfile(member, io.BytesIO(data))


def make_folder(folder: Path) -> None:
    """Make a folder and those above it.

    Raises:
        OutputError: if that can't be.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(
            f"{folder} can't be made ({error.strerror or error}); write to another folder"
        ) from error


def tar_name(keys: Sequence[str]) -> str:
    """What the tar of some photos is called: the same for the same photos."""
    together = "\n".join(keys).encode("utf-8", "surrogateescape")
    return f"part-{zlib.crc32(together):08x}-{len(keys)}.tar"


@contextmanager
def open_tar(place: Place) -> Iterator[tarfile.TarFile]:
    """A tar that is written whole or not at all.

    Raises:
        OutputError: if it can't be written.
    """
    if not is_address(place):
        with whole_file(Path(place)) as file, _archive(file) as archive:
            yield archive
        return
    with TemporaryFile() as file:
        with _archive(file) as archive:
            yield archive
        file.seek(0)
        write_address(file.read(), address_of(place), overwrite=True)


def _archive(file: BinaryIO) -> tarfile.TarFile:
    return tarfile.open(fileobj=file, mode="w")


def write_rows(rows: Sequence[FillOutcome], tar: Place) -> None:
    """Write a tar's rows beside it, before the tar: it is the tar that says that they count."""
    lines = "".join(json.dumps(row.as_row(), ensure_ascii=False) + "\n" for row in rows)
    FileResults(overwrite=True).write(lines.encode("utf-8", "surrogateescape"), _rows_of(tar))


def rows_in_tars(folder: Place) -> Iterator[FillOutcome]:
    """The rows of all tars that are in a folder, as earlier runs left them."""
    names = names_in(folder)
    for name in sorted(names):
        if name.startswith("part-") and name.endswith(".tar"):
            yield from rows_of_tar(within(folder, name)) or ()


def rows_of_tar(tar: Place) -> list[FillOutcome] | None:
    """The rows of a tar; None if it, or what belongs to it, is not there.

    Raises:
        OutputError: if they can't be read.
    """
    folder, _, name = str(tar).rpartition("/")
    rows = _rows_of(tar)
    if not {name, str(rows).rpartition("/")[2]} <= names_in(folder or "."):
        return None
    try:
        data = read_part(rows) if is_address(rows) else Path(rows).read_bytes()
        lines = data.decode("utf-8", "surrogateescape").splitlines()
        return [outcome_from_row(json.loads(line)) for line in lines]
    except (OSError, ValueError, TypeError, RegionwiseError) as error:
        raise OutputError(
            f"{rows} is no readable file of rows ({error}); remove its tar"
        ) from error


def _rows_of(tar: Place) -> Place:
    name = str(tar).removesuffix(".tar") + ".jsonl"
    return name if is_address(tar) else Path(name)
