"""The page itself and /healthz. Its files are read once, when the server starts."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from fastapi import APIRouter, Request, Response

from regionwise.web.refusals import RefusedError

router = APIRouter(include_in_schema=False)

_FOLDER = Path(__file__).parent / "static"
_MEDIA_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".jpg": "image/jpeg",
    ".webmanifest": "application/manifest+json",
}


@dataclass(frozen=True)
class _PageFile:
    data: bytes
    media_type: str
    tag: str


@cache
def page_files() -> dict[str, _PageFile]:
    """All files of the page by name. A request's path is looked up here, never on the disk."""
    return {
        file.name: _PageFile(
            data := file.read_bytes(),
            _MEDIA_TYPES[file.suffix],
            f'"{hashlib.sha256(data).hexdigest()[:16]}"',
        )
        for file in _FOLDER.iterdir()
        if file.suffix in _MEDIA_TYPES
    }


@router.get("/")
async def page(request: Request) -> Response:
    """The page."""
    return _answer(request, "index.html")


@router.get("/docs")
async def api_page(request: Request) -> Response:
    """The API, for reading."""
    return _answer(request, "api.html")


@router.get("/static/{name}")
async def page_file(request: Request, name: str) -> Response:
    """A file of the page."""
    return _answer(request, name)


@router.get("/healthz")
async def health() -> dict[str, str]:
    """Whether the server answers."""
    return {"status": "ok"}


def _answer(request: Request, name: str) -> Response:
    file = page_files().get(name)
    if file is None:
        raise RefusedError(404, "there is no such page")
    headers = {"ETag": file.tag, "Cache-Control": "no-cache"}
    if request.headers.get("if-none-match") == file.tag:
        return Response(status_code=304, headers=headers)
    return Response(file.data, media_type=file.media_type, headers=headers)
