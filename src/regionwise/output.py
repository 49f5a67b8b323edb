"""Write a file whole or not at all."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from regionwise.errors import OutputError


def check_output(path: Path, *, overwrite: bool) -> None:
    """Find out early, before any slow work, that a file can't be written.

    Raises:
        OutputError: if the file exists and `overwrite` is off, it is a folder or a device, or its
            folder is missing or read-only.
    """
    if path.is_dir():
        raise OutputError(f"{path} is a folder; give the name of a file in it")
    if path.exists() and not path.is_file():  # to rename a result over it would end it
        raise OutputError(f"{path} is a device or a pipe; give the name of a file")
    if path.exists() and not overwrite:
        raise OutputError(f"{path} exists already; give `overwrite` to replace it")
    if not path.parent.is_dir():
        raise OutputError(f"{path.parent} is not a folder; make it first, or write elsewhere")
    if not os.access(path.parent, os.W_OK | os.X_OK):
        raise OutputError(f"{path.parent} is read-only; write to another folder")


@contextmanager
def whole_file(path: Path, *, overwrite: bool = True) -> Iterator[BinaryIO]:
    """Open a file that is written whole or not at all.

    What is written goes to a temporary file in the same folder, which takes the name at the end: no
    reader ever sees half a file, and a crash, a full disk or Ctrl-C leaves what was there before. A
    link is followed.

    Raises:
        OutputError: if the file can't be written, or exists and `overwrite` is off.
    """
    check_output(path, overwrite=overwrite)
    target = Path(os.path.realpath(path))
    temporary = target.with_name(f".{target.name[:80]}.{os.urandom(4).hex()}")
    try:
        with open(temporary, "xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        if target.exists():
            temporary.chmod(target.stat().st_mode & 0o777)
        check_output(path, overwrite=overwrite)  # someone may have written it meanwhile
        temporary.replace(target)
    except BaseException as error:
        temporary.unlink(missing_ok=True)
        if (of_system := _of_system(error)) is not None:
            raise OutputError(_reason(path, of_system)) from error
        raise


def write_whole(data: bytes | str, path: Path, *, overwrite: bool = False) -> None:
    """Write bytes, or text as UTF-8, whole or not at all; see `whole_file`.

    Raises:
        OutputError: if the file can't be written, or exists and `overwrite` is off.
    """
    with whole_file(path, overwrite=overwrite) as file:
        file.write(data.encode() if isinstance(data, str) else data)


def _of_system(error: BaseException) -> OSError | None:
    """What the system said; PyTorch tells of a full disk by an error of its own."""
    if isinstance(error, OSError):
        return error
    if isinstance(error, RuntimeError) and isinstance(error.__context__, OSError):
        return error.__context__
    return None


def _reason(path: Path, error: OSError) -> str:
    if error.errno == errno.ENOSPC:
        return f"{path}: the disk is full; make room, or write to another one"
    return f"{path} can't be written ({error.strerror or error}); write to another folder"
