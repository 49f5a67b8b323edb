"""Results as files: a zip archive written piece by piece, and a folder on this computer."""

from __future__ import annotations

import io
import threading
import zipfile
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from pathlib import Path, PurePosixPath

from regionwise.output import write_whole

_writing = threading.Lock()


class _Pipe(io.RawIOBase):
    """What zipfile writes into and the sender takes out of."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, data: object) -> int:
        piece = bytes(data)  # type: ignore[call-overload]
        self._pieces.append(piece)
        return len(piece)

    def take(self) -> bytes:
        taken = b"".join(self._pieces)
        self._pieces.clear()
        return taken


async def zip_chunks(
    entries: Sequence[tuple[str, Callable[[], Awaitable[bytes]]]],
) -> AsyncIterator[bytes]:
    """Archive files, uncompressed, as photos are compressed already.

    Args:
        entries: names, and what gives the bytes. A name that came before gets a number.

    Yields:
        The archive's bytes, a file at a time.
    """
    pipe = _Pipe()
    used: set[str] = set()
    with zipfile.ZipFile(pipe, "w", zipfile.ZIP_STORED) as archive:
        for name, content in entries:
            archive.writestr(_unused(name, used), await content())
            yield pipe.take()
    yield pipe.take()


def write_unused(data: bytes, folder: Path, name: str) -> str:
    """Write a file into a folder under a name that no file there has; gives the name.

    Raises:
        OutputError: if it can't be written.
    """
    with _writing:
        used = {file.name for file in folder.iterdir()} if folder.is_dir() else set()
        chosen = _unused(name, used)
        write_whole(data, folder / chosen)
    return chosen


def _unused(name: str, used: set[str]) -> str:
    path, number, candidate = PurePosixPath(name), 1, name
    while candidate in used:
        number += 1
        candidate = f"{path.stem}-{number}{path.suffix}"
    used.add(candidate)
    return candidate
