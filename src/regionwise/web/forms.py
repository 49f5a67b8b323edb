"""Read a request's body into memory, within limits.

Starlette's parser of multipart forms does the reading. By itself it moves files above 1 MB to disk,
where a photo must not go; here it is told to keep them.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import ClassVar

import anyio
from starlette.datastructures import FormData, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import ClientDisconnect, Request

from regionwise.web.clients import Arriving
from regionwise.web.refusals import RefusedError

_MAX_FILES = 8
_MAX_FIELDS = 64
_MAY_REPEAT = "box"
_MAX_FIELD = 4096  # bytes of a part that is no file
_GLANCE = 0.25  # seconds between two looks at whether a body is still welcome
_GRACE = 10.0  # seconds before a body's speed counts
_SLOWEST = 20_000  # bytes a second that a body must come with, over all of its time


@dataclass
class SentFile:
    """A file of a form: the name that the sender gave it, and its bytes."""

    name: str
    data: bytes


@dataclass
class Form:
    """A form's fields and files by name.

    A field `box` may come several times, and then holds all of them with a semicolon between; all
    else comes once.
    """

    fields: dict[str, str] = field(default_factory=dict)
    files: dict[str, SentFile] = field(default_factory=dict)


@dataclass(frozen=True)
class BodyLimits:
    """What a body may be.

    Attributes:
        max_bytes: a longer one is refused, before it is read where it says its length.
        seconds: one that takes longer is refused; so is one that trickles.
        count: is told of each piece's bytes, and may refuse it.
        arriving: knows whether the body must give way to another.
    """

    max_bytes: int
    seconds: float
    count: Callable[[int], None] = lambda _: None
    arriving: Arriving = field(default_factory=lambda: Arriving("", 0))


class _InMemory(MultiPartParser):
    """Keeps files in memory, and knows whether the form came to its end."""

    spool_max_size = 1 << 62
    kind: ClassVar[str] = "multipart/form-data"
    ended = False

    def on_end(self) -> None:
        super().on_end()
        self.ended = True


async def read_form(request: Request, limits: BodyLimits) -> Form:
    """Read a multipart request whose body nobody has read.

    Raises:
        RefusedError: with 400, 408, 413 or 415, or what the counting refuses.
        starlette.requests.ClientDisconnect: if the client goes.
    """
    kind, _, rest = request.headers.get("content-type", "").partition(";")
    if kind.strip().lower() != _InMemory.kind or "boundary=" not in rest:
        raise RefusedError(415, "the request is no form; send multipart/form-data")
    parser = _InMemory(
        request.headers,
        _pieces(request, limits),  # type: ignore[arg-type]
        max_files=_MAX_FILES,
        max_fields=_MAX_FIELDS,
        max_part_size=_MAX_FIELD,
    )
    try:
        data = await parser.parse()
    except MultiPartException as error:
        raise RefusedError(400, f"the form is broken: {_clause(error.message)}") from error
    if not parser.ended:
        await data.close()
        raise RefusedError(400, "the form is cut short; send it again")
    try:
        return await _gathered(data)
    finally:
        await data.close()


async def _gathered(data: FormData) -> Form:
    """The parser's fields and files in ours."""
    form = Form()
    for name, value in data.multi_items():
        before = form.fields.get(name)
        if name in form.files or (before is not None and name != _MAY_REPEAT):
            raise RefusedError(400, f"the form has {name[:60]!r} twice; send it once")
        if isinstance(value, UploadFile):
            form.files[name] = SentFile(value.filename or "", await value.read())
        else:
            form.fields[name] = value if before is None else f"{before};{value}"
    return form


async def read_body(request: Request, limits: BodyLimits) -> bytes:
    """Read a small body whole.

    Raises:
        RefusedError: with 408 or 413.
        starlette.requests.ClientDisconnect: if the client goes.
    """
    return b"".join([piece async for piece in _pieces(request, limits)])


async def _pieces(request: Request, limits: BodyLimits) -> AsyncIterator[bytes]:
    """The body as it comes, refused as soon as it breaks a limit."""
    length = request.headers.get("content-length", "0")
    if length.isdigit() and int(length) > limits.max_bytes:
        raise _too_large(limits.max_bytes)
    started, body = time.monotonic(), limits.arriving
    more = True
    while more:
        allowed = min(limits.seconds, _GRACE + body.received / _SLOWEST)
        if body.gives_way or time.monotonic() > started + allowed:
            raise RefusedError(408, "the request came too slowly; send it again")
        message = None
        with anyio.move_on_after(_GLANCE):
            message = await request.receive()
        if message is None:
            continue
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        piece, more = message.get("body", b""), message.get("more_body", False)
        body.received += len(piece)
        if body.received > limits.max_bytes:
            raise _too_large(limits.max_bytes)
        limits.count(len(piece))
        yield piece


def _too_large(max_bytes: int) -> RefusedError:
    return RefusedError(
        413, f"the request is larger than the {max_bytes / 1e6:g} MB that this server takes"
    )


def _clause(message: str) -> str:
    return message[:1].lower() + message[1:].rstrip(".")
