"""The application: routes, the door before them, and how errors become answers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from regionwise import __version__
from regionwise.errors import RegionwiseError
from regionwise.web import fill_routes, mask_routes, page_routes, photo_routes
from regionwise.web.context import Context
from regionwise.web.guard import Guard
from regionwise.web.jobs import in_words_of_the_api
from regionwise.web.refusals import RefusedError
from regionwise.web.settings import ServerSettings

_TIDY_SECONDS = 60


def create_app(settings: ServerSettings | None = None) -> FastAPI:
    """Make the server's application; any ASGI server can run it."""
    settings = settings or ServerSettings()
    context = Context(settings)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        tidying = asyncio.create_task(_tidy(context))
        yield
        tidying.cancel()
        context.queue.close()

    app = FastAPI(
        title="regionwise",
        version=__version__,
        description="Fill holes in photos. Known pixels stay as they are, bit for bit.",
        docs_url=None,  # FastAPI's own pages fetch their scripts from elsewhere; see /docs
        redoc_url=None,
        lifespan=lifespan,
    )
    app.state.context = context
    for routes in (fill_routes, photo_routes, mask_routes, page_routes):
        app.include_router(routes.router)
    app.add_middleware(Guard, settings=settings)
    app.add_exception_handler(RegionwiseError, _refusal)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(RequestValidationError, _bad_query)
    return app


async def _tidy(context: Context) -> None:
    while True:
        await asyncio.sleep(_TIDY_SECONDS)
        context.tidy()


async def _refusal(_: Request, error: Exception) -> JSONResponse:
    status, headers = 422, {}
    if isinstance(error, RefusedError):
        status = error.status
        if error.retry_after is not None:
            headers["Retry-After"] = str(error.retry_after)
    return JSONResponse({"error": in_words_of_the_api(str(error))}, status, headers)


async def _http_error(_: Request, error: Exception) -> JSONResponse:
    if not isinstance(error, HTTPException):
        raise error
    text = {404: "there is no such page", 405: "this address does not take this kind of request"}
    message = text.get(error.status_code, str(error.detail).lower())
    return JSONResponse({"error": message}, error.status_code, error.headers)


async def _bad_query(_: Request, error: Exception) -> JSONResponse:
    if not isinstance(error, RequestValidationError):
        raise error
    first = error.errors()[0]
    return JSONResponse({"error": f"{first['loc'][-1]}: {first['msg'].lower()}"}, 422)
