"""Write a file whole or not at all."""

from __future__ import annotations

import errno
import os
from pathlib import Path

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
        raise OutputError(f"{path} exists already; give --overwrite to replace it")
    if not path.parent.is_dir():
        raise OutputError(f"{path.parent} is not a folder; make it first, or write elsewhere")
    if not os.access(path.parent, os.W_OK | os.X_OK):
        raise OutputError(f"{path.parent} is read-only; write to another folder")


def write_whole(data: bytes, path: Path, *, overwrite: bool = False) -> None:
    """Write beside under a temporary name, then rename: no reader ever sees half a file.

    A crash, a full disk or Ctrl-C leaves what was there before. A link is followed.

    Raises:
        OutputError: if the file can't be written, or exists and `overwrite` is off.
    """
    check_output(path, overwrite=overwrite)
    target = Path(os.path.realpath(path))
    beside = target.with_name(f".{target.name[:80]}.{os.urandom(4).hex()}")
    try:
        with open(beside, "xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        if target.exists():
            beside.chmod(target.stat().st_mode & 0o777)
        check_output(path, overwrite=overwrite)  # someone may have written it meanwhile
        beside.replace(target)
    except BaseException as error:
        beside.unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise OutputError(_reason(path, error)) from error
        raise


def _reason(path: Path, error: OSError) -> str:
    if error.errno == errno.ENOSPC:
        return f"{path}: the disk is full; make room, or write to another one"
    return f"{path} can't be written ({error.strerror or error}); write to another folder"
