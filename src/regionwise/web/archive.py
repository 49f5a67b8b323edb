"""A zip archive written piece by piece, so that only one photo of it is in memory."""

from __future__ import annotations

import io
import zipfile
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from pathlib import PurePosixPath


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


def _unused(name: str, used: set[str]) -> str:
    path, number, candidate = PurePosixPath(name), 1, name
    while candidate in used:
        number += 1
        candidate = f"{path.stem}-{number}{path.suffix}"
    used.add(candidate)
    return candidate
