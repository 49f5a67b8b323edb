"""/api/v1/photos: photos that are sent once and worked on for a while, as the page does."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import PurePosixPath
from typing import Annotated, Any, Literal
from urllib.parse import quote

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import StreamingResponse
from starlette.requests import ClientDisconnect
from starlette.types import Receive, Scope, Send

from regionwise.classical.progress import ReportProgress
from regionwise.errors import MaskError, RegionwiseError
from regionwise.photos.writing import encode_photo
from regionwise.web import jobs
from regionwise.web.archive import write_unused, zip_chunks
from regionwise.web.clients import client_of
from regionwise.web.context import Context, context_of
from regionwise.web.fill_queue import QueuePlace
from regionwise.web.fill_routes import MEDIA_TYPES, PROBLEMS, form_schema
from regionwise.web.forms import SentFile
from regionwise.web.guard import log
from regionwise.web.messages import (
    FillOfUpload,
    PhotoInfo,
    ResultInfo,
    Saved,
    ZipOrder,
    read_json,
    read_options,
)
from regionwise.web.patches import Patch, patches_since, with_patches
from regionwise.web.photo_store import KeptPhoto
from regionwise.web.refusals import CLIENT_GONE, RefusedError
from regionwise.web.stopping import Stop, stopped_on_disconnect
from regionwise.web.tiles import render_tile

router = APIRouter(prefix="/api/v1", responses=PROBLEMS)

Number = Annotated[int, Query(ge=0, le=1_000_000)]
FileFormat = Annotated[
    Literal["JPEG", "PNG", "WEBP", "TIFF", "BMP"] | None,
    Query(description="Another format than the photo's own."),
]


@router.post(
    "/photos",
    status_code=201,
    openapi_extra=form_schema(None, photo="JPEG, PNG, WebP, TIFF or BMP."),
)
async def send_photo(request: Request) -> PhotoInfo:
    """Send a photo to work on. The server forgets it some hours after it was last asked for."""
    context = context_of(request)
    client = client_of(request.scope)
    try:
        async with context.form(request) as (form, arrival):
            file = form.files.get("photo")
            if file is None:
                raise RefusedError(422, "the form has no file `photo`")
            with context.queue.place(client) as place:
                photo = await context.queue.run(
                    place, partial(jobs.open_photo, file.data, context.settings.max_pixels)
                )
            arrival.end()
            stored = context.store.add(safe_name(file.name), file.data, photo, client)
    except ClientDisconnect as error:
        raise RefusedError(CLIENT_GONE, "the client is gone") from error
    context.decoded.put(stored.id, photo)
    return stored.described()


@router.get("/photos/{identity}")
async def describe_photo(request: Request, identity: str) -> PhotoInfo:
    """What the server knows of a photo, and its results."""
    return context_of(request).store.get(identity).described()


@router.delete("/photos/{identity}", status_code=204)
async def forget_photo(request: Request, identity: str) -> None:
    """Forget a photo and its results."""
    context = context_of(request)
    context.store.remove(identity)
    context.decoded.forget(identity)


@router.get("/photos/{identity}/tile", response_class=Response)
async def tile(
    request: Request,
    identity: str,
    result: Number = 0,
    level: Number = 0,
    column: Number = 0,
    row: Number = 0,
) -> Response:
    """A square of 512 pixels of a result, for the screen, at 1/2^level of its scale."""
    context = context_of(request)
    stored = context.store.get(identity)
    patches = stored.patches_of(result)

    def draw() -> tuple[bytes, str]:
        return render_tile(context.photo(stored), patches, level, column, row)

    data, kind = await context.draw(draw)
    return Response(data, media_type=kind)


@router.get("/photos/{identity}/file", response_class=Response)
async def download(
    request: Request,
    identity: str,
    result: Number = 0,
    format: FileFormat = None,  # noqa: A002
) -> Response:
    """A result as a file, at full size, with its metadata; by default of the photo's own format."""
    context = context_of(request)
    stored = context.store.get(identity)
    patches = stored.patches_of(result)
    with context.queue.place(client_of(request.scope)) as place:
        data = await context.queue.run(place, lambda: _encoded(context, stored, patches, format))
    name = quote(filled_name(stored.info.name, result))
    return Response(
        data,
        media_type=MEDIA_TYPES[format or stored.info.format],
        headers={"Content-Disposition": f"attachment; filename*=UTF-8''{name}"},
    )


@router.post(
    "/zip",
    response_class=Response,
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": ZipOrder.model_json_schema()}},
        }
    },
)
async def download_all(request: Request) -> StreamingResponse:
    """Several results as one archive, written while it is sent."""
    context = context_of(request)
    order = read_json(ZipOrder, await context.small_body(request))
    return StreamingResponse(
        zip_chunks(_zip_entries(context, order, client_of(request.scope))),
        media_type="application/zip",
        headers={"Content-Disposition": "attachment; filename=photos_filled.zip"},
    )


def _zip_entries(
    context: Context, order: ZipOrder, client: str
) -> list[tuple[str, Callable[[], Awaitable[bytes]]]]:
    """Names, and what writes each file, with a place in the queue of its own."""

    async def encoded(stored: KeptPhoto, patches: tuple[Patch, ...]) -> bytes:
        with context.queue.place(client) as place:
            return await context.queue.run(place, partial(_encoded, context, stored, patches))

    entries: list[tuple[str, Callable[[], Awaitable[bytes]]]] = []
    for wanted in order.photos:
        stored = context.store.get(wanted.id)
        patches = stored.patches_of(wanted.result)
        name = filled_name(stored.info.name, wanted.result)
        entries.append((name, partial(encoded, stored, patches)))
    return entries


def _encoded(
    context: Context, stored: KeptPhoto, patches: tuple[Patch, ...], kind: str | None = None
) -> bytes:
    if not patches and kind in (None, stored.info.format):
        return stored.source
    return encode_photo(with_patches(context.photo(stored), patches), kind)


@router.post("/photos/{identity}/save", status_code=201)
async def save(
    request: Request,
    identity: str,
    result: Number = 0,
    name: Annotated[str, Query(max_length=200)] = "",
) -> Saved:
    """Write a result into the folder that the server was given; nothing is written over."""
    context = context_of(request)
    folder = context.settings.output_dir
    if folder is None:
        raise RefusedError(403, "this server has no folder to save in; download the result")
    stored = context.store.get(identity)
    patches = stored.patches_of(result)
    wanted = safe_name(name or filled_name(stored.info.name, result))
    with context.queue.place(client_of(request.scope)) as place:
        written = await context.queue.run(
            place, lambda: write_unused(_encoded(context, stored, patches), folder, wanted)
        )
    return Saved(name=written)


@router.post(
    "/photos/{identity}/fills",
    response_class=Response,
    responses={200: {"content": {"application/x-ndjson": {}}}},
    openapi_extra=form_schema(FillOfUpload, mask="A picture; white is filled."),
)
async def fill_stored(request: Request, identity: str) -> Response:
    """Fill a stored photo.

    The answer is a line of JSON for each step: `{"ahead": n}`, `{"done": share}` as it goes on,
    from 0 to 1, at last `{"result": {...}}` or `{"error": "...", "status": 422}`. To cancel, close
    the connection.
    """
    context = context_of(request)
    stop = context.stop()
    async with AsyncExitStack() as held:
        held.callback(stop.set)
        try:
            form, _ = await held.enter_async_context(context.form(request))
        except ClientDisconnect as error:
            raise RefusedError(CLIENT_GONE, "the client is gone") from error
        wanted = read_options(FillOfUpload, form.fields)
        stored = context.store.get(identity)
        place = held.enter_context(context.queue.place(client_of(request.scope)))
        order = _Order(
            context, stored, stored.patches_of(wanted.result), form.files.get("mask"), wanted, place
        )
        return _HeldResponse(
            _events(request, order, stop), held.pop_all(), media_type="application/x-ndjson"
        )
    raise AssertionError("the block above answers or raises")


@dataclass(frozen=True, eq=False)
class _Order:
    """A fill of a stored photo: all that a worker needs."""

    context: Context
    stored: KeptPhoto
    patches: tuple[Patch, ...]
    mask: SentFile | None
    request: FillOfUpload
    place: QueuePlace

    def work(
        self, stop: Stop, progress: ReportProgress
    ) -> tuple[jobs.FinishedFill, tuple[Patch, ...]]:
        """Fill; in a worker thread."""
        stop.begin()
        before = with_patches(self.context.photo(self.stored), self.patches)
        filling = jobs.fill(
            before,
            self.mask.data if self.mask else None,
            self.request,
            self.context.engine(self.request.options),
            stop,
            max_pixels=self.context.settings.max_pixels,
            progress=progress,
        )
        return filling, patches_since(before, filling.photo)

    def keep(self, filling: jobs.FinishedFill, patches: tuple[Patch, ...]) -> ResultInfo:
        """Put the result into the store; in the event loop."""
        if not patches:
            raise MaskError("the mask is empty: paint over what is to go")
        return self.context.store.add_result(
            self.stored,
            patches,
            start=self.request.result,
            hole_ratio=filling.hole_ratio,
            seconds=filling.seconds,
            model=str(self.request.options.model),
            warnings=filling.warnings,
        )


class _HeldResponse(StreamingResponse):
    """Gives back what it holds when it has ended, however it ends."""

    def __init__(self, content: AsyncIterator[bytes], held: AsyncExitStack, **options: Any) -> None:
        super().__init__(content, **options)
        self._held = held

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async with self._held:
            await super().__call__(scope, receive, send)


async def _events(request: Request, order: _Order, stop: Stop) -> AsyncIterator[bytes]:
    """The lines of `fill_stored`."""
    loop = asyncio.get_running_loop()
    steps: asyncio.Queue[dict[str, float] | None] = asyncio.Queue()

    def progress(share: float) -> None:
        loop.call_soon_threadsafe(steps.put_nowait, {"done": share})

    queue = order.context.queue
    async with stopped_on_disconnect(request, stop):
        yield _line({"ahead": queue.ahead})
        work = asyncio.create_task(queue.run(order.place, partial(order.work, stop, progress)))
        work.add_done_callback(lambda _: steps.put_nowait(None))
        while (step := await steps.get()) is not None:
            yield _line(step)
        try:
            yield _line({"result": order.keep(*work.result()).model_dump()})
        except Exception as error:  # the status is long sent: whatever it is must be a line
            if not isinstance(error, RegionwiseError):
                log.exception("a fill failed")
            status = error.status if isinstance(error, RefusedError) else 422
            yield _line({"error": jobs.one_line(error), "status": status})


def _line(event: dict[str, Any]) -> bytes:
    return json.dumps(event).encode() + b"\n"


def safe_name(name: str) -> str:
    """A file's name as its sender called it, without folders and signs that no name has."""
    last = PurePosixPath(name.replace("\\", "/")).name
    kept = "".join(sign for sign in last if sign.isprintable() and sign not in '<>:"|?*')
    return kept.strip(". ")[-150:] or "photo"


def filled_name(name: str, result: int) -> str:
    """What the download is called: photo.jpg becomes photo_filled.jpg."""
    path = PurePosixPath(name)
    return f"{path.stem}_filled{path.suffix}" if result else name
