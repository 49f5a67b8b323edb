"""Read a multipart request into memory.

Starlette's own reader moves files above 1 MB to disk, where a photo must not go; this one feeds the
same parser and keeps the bytes.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import anyio
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.requests import Request

from regionwise.web.refusals import RefusedError

if TYPE_CHECKING:
    from python_multipart.multipart import MultipartCallbacks

_MAX_PARTS = 64
_MAY_REPEAT = "box"
_MAX_FIELD = 4096  # bytes of a part that is no file
_MAX_HEADERS = 4096  # bytes of the headers of one part


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


async def read_form(request: Request, max_bytes: int, seconds: float) -> Form:
    """Read a multipart request.

    Args:
        request: whose body nobody has read.
        max_bytes: a longer body is refused, before it is read where it says its length.
        seconds: a body that takes longer is refused.

    Raises:
        RefusedError: with 400, 408, 413 or 415.
        starlette.requests.ClientDisconnect: if the client goes.
    """
    kind, options = parse_options_header(request.headers.get("content-type", ""))
    boundary = options.get(b"boundary")
    if kind != b"multipart/form-data" or not boundary:
        raise RefusedError(415, "the request is no form; send multipart/form-data")
    length = request.headers.get("content-length", "0")
    if length.isdigit() and int(length) > max_bytes:
        raise _too_large(max_bytes)
    parts = _Parts()
    received = 0
    try:
        parser = MultipartParser(boundary, parts.callbacks())
        with anyio.fail_after(seconds):
            async for chunk in request.stream():
                received += len(chunk)
                if received > max_bytes:
                    raise _too_large(max_bytes)
                parser.write(chunk)
        parser.finalize()
    except FormParserError as error:
        raise RefusedError(400, "the form is broken; send multipart/form-data") from error
    except TimeoutError as error:
        raise RefusedError(408, f"the request took more than {seconds:g} s to arrive") from error
    if not parts.ended:
        raise RefusedError(400, "the form is cut short; send it anew")
    return parts.form


def _too_large(max_bytes: int) -> RefusedError:
    return RefusedError(
        413, f"the request is larger than the {max_bytes / 1e6:g} MB that this server takes"
    )


class _Parts:
    """Gathers what the parser finds."""

    def __init__(self) -> None:
        self.form = Form()
        self.ended = False
        self._count = 0
        self._header = (bytearray(), bytearray())
        self._headers: dict[bytes, bytes] = {}
        self._name = ""
        self._file_name: str | None = None
        self._data = bytearray()

    def callbacks(self) -> MultipartCallbacks:
        return {
            "on_part_begin": self._part_begin,
            "on_part_data": self._part_data,
            "on_part_end": self._part_end,
            "on_header_field": self._header_field,
            "on_header_value": self._header_value,
            "on_header_end": self._header_end,
            "on_headers_finished": self._headers_finished,
            "on_end": self._end,
        }

    def _part_begin(self) -> None:
        self._count += 1
        if self._count > _MAX_PARTS:
            raise RefusedError(400, f"the form has more than {_MAX_PARTS} parts")
        self._headers = {}
        self._data = bytearray()

    def _header_field(self, data: bytes, start: int, end: int) -> None:
        self._grow_header(0, data[start:end])

    def _header_value(self, data: bytes, start: int, end: int) -> None:
        self._grow_header(1, data[start:end])

    def _grow_header(self, which: int, data: bytes) -> None:
        self._header[which].extend(data)
        if len(self._header[which]) + sum(map(len, self._headers.values())) > _MAX_HEADERS:
            raise RefusedError(400, "a part of the form has headers that are too long")

    def _header_end(self) -> None:
        name, value = self._header
        self._headers[bytes(name).lower()] = bytes(value)
        self._header = (bytearray(), bytearray())

    def _headers_finished(self) -> None:
        _, options = parse_options_header(self._headers.get(b"content-disposition", b""))
        if b"name" not in options:
            raise RefusedError(400, "a part of the form has no name")
        self._name = options[b"name"].decode("utf-8", "replace")
        file_name = options.get(b"filename")
        self._file_name = None if file_name is None else file_name.decode("utf-8", "replace")

    def _part_data(self, data: bytes, start: int, end: int) -> None:
        self._data += memoryview(data)[start:end]
        if self._file_name is None and len(self._data) > _MAX_FIELD:
            raise RefusedError(400, "a field of the form is too long; send photo and mask as files")

    def _part_end(self) -> None:
        if self._name in self.form.files or (
            self._name in self.form.fields and self._name != _MAY_REPEAT
        ):
            raise RefusedError(400, f"the form has {self._name[:60]!r} twice; send it once")
        if self._file_name is None:
            value = self._data.decode("utf-8", "replace")
            before = self.form.fields.get(self._name)
            self.form.fields[self._name] = value if before is None else f"{before};{value}"
        else:
            self.form.files[self._name] = SentFile(self._file_name, bytes(self._data))
        self._data = bytearray()

    def _end(self) -> None:
        self.ended = True
