"""Files that lie elsewhere: addresses such as s3://bucket/a.jpg, read and written by fsspec."""

from __future__ import annotations

import os
import re
from typing import Any

from regionwise.errors import OutputError, PhotoError, RegionwiseError

_ADDRESS = re.compile(r"^([a-z][a-z0-9+.-]+):/{1,2}(?=[^/])|^(file):///", re.IGNORECASE)
_WEB = ("http", "https", "ftp", "data")


def is_address(source: str | os.PathLike[str]) -> bool:
    """Whether a path is an address: it begins with a protocol, as s3://."""
    text = os.fspath(source)
    return isinstance(text, str) and _ADDRESS.match(text) is not None and not os.path.exists(text)


def _protocol(address: str) -> str:
    found = _ADDRESS.match(address)
    return (found.group(1) or found.group(2)).lower() if found else ""


def _refusal(address: str) -> str | None:
    """Why an address is not one of ours; None if fsspec may try."""
    if _protocol(address) in _WEB:
        return f"{address} is on the web, and regionwise loads nothing from there; save it first"
    try:
        import fsspec  # noqa: F401
    except ImportError:
        return f'{address} is an address; to read such ones pip install "regionwise[storage]"'
    return None


def _opened(address: str, mode: str) -> Any:
    import fsspec

    return fsspec.open(address, mode)


def read_address(address: str) -> bytes:
    """All bytes of a stored file.

    Raises:
        PhotoError: if it is an address of the web, fsspec is not there, or it can't be read.
    """
    if reason := _refusal(address):
        raise PhotoError(reason)
    try:
        with _opened(address, "rb") as file:
            data: bytes = file.read()
            return data
    except FileNotFoundError as error:
        raise PhotoError(f"{address} does not exist; check the name") from error
    except Exception as error:  # each store has errors of its own
        raise PhotoError(f"{address} can't be read ({_said(error)}); check it") from error


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
        file = _opened(address, "rb")
        if file.fs.exists(file.path):
            raise OutputError(f"{address} exists already; give `overwrite` to replace it")
    except RegionwiseError:
        raise
    except Exception as error:
        raise OutputError(f"{address} can't be written ({_said(error)}); check it") from error


def write_address(data: bytes, address: str, *, overwrite: bool = False) -> None:
    """Write a stored file; stores show it when it is whole.

    Raises:
        OutputError: if it can't be written, or exists and `overwrite` is off.
    """
    check_address(address, overwrite=overwrite)
    try:
        with _opened(address, "wb") as file:
            file.write(data)
    except Exception as error:
        raise OutputError(f"{address} can't be written ({_said(error)}); check it") from error


def _said(error: Exception) -> str:
    return " ".join(str(error).split())[:120] or type(error).__name__
