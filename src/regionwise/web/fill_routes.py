"""POST /api/v1/fill: a photo and a mask in, the filled photo out; nothing is kept."""

from __future__ import annotations

from functools import partial
from typing import Any
from urllib.parse import quote

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel
from starlette.requests import ClientDisconnect

from regionwise.photos.formats import FORMATS, READABLE
from regionwise.photos.writing import encode_photo
from regionwise.web import jobs
from regionwise.web.clients import client_of
from regionwise.web.context import Context, context_of
from regionwise.web.forms import Form
from regionwise.web.messages import (
    ModelList,
    Problem,
    StatelessFill,
    Word,
    read_options,
    served_maximum,
    served_options,
)
from regionwise.web.patches import with_patches
from regionwise.web.refusals import CLIENT_GONE, RefusedError, StoppedError
from regionwise.web.stopping import Stop, stopped_on_disconnect
from regionwise.web.words import WORDS

router = APIRouter(prefix="/api/v1")

MEDIA_TYPES = {one.name: one.media_type for one in FORMATS}
PROBLEMS: dict[int | str, dict[str, Any]] = {
    status: {"model": Problem, "description": text}
    for status, text in (
        (400, "The form is broken."),
        (401, "The token is missing or wrong."),
        (404, "There is no such photo or result."),
        (413, "Too many bytes."),
        (422, "The photo, the mask or an option can't be used."),
        (429, "The queue is full; Retry-After says in how many seconds to try again."),
        (503, "The fill took too long."),
    )
}


def form_schema(options: type[BaseModel] | None, **files: str) -> dict[str, Any]:
    """What OpenAPI says of a multipart request: the options, and the files with what they are."""
    schema: dict[str, Any] = (
        options.model_json_schema() if options else {"type": "object", "properties": {}}
    )
    for name, text in files.items():
        schema["properties"][name] = {"type": "string", "format": "binary", "description": text}
    return {
        "requestBody": {"required": True, "content": {"multipart/form-data": {"schema": schema}}}
    }


@router.get("/models")
async def models(request: Request) -> ModelList:
    """The models to choose from, and the limits of this server."""
    context = context_of(request)
    return ModelList(
        models=context.models,
        words=[Word(name=name, options=options) for name, options in WORDS.items()],
        options=served_options(),
        saves=context.settings.output_dir is not None,
        max_bytes=context.settings.max_bytes,
        max_pixels=context.settings.max_pixels,
        max_grow=served_maximum("grow"),
    )


@router.post(
    "/fill",
    response_class=Response,
    responses=PROBLEMS
    | {200: {"description": "The filled photo, in its own format.", "content": {"image/*": {}}}},
    openapi_extra=form_schema(
        StatelessFill,
        photo=f"{READABLE} are read.",
        mask="A picture; white is filled. Without mask and box the transparent pixels are.",
    ),
)
async def fill(request: Request) -> Response:
    """Fill a photo. What is not in the hole stays as it is, metadata too."""
    context = context_of(request)
    stop = context.stop()
    try:
        async with context.form(request) as (form, _):
            work = _work(context, form, stop)
            with context.queue.place(client_of(request.scope)) as place:
                async with stopped_on_disconnect(request, stop):
                    data, kind, warnings = await context.queue.run(place, work)
    except (ClientDisconnect, StoppedError):
        return Response(status_code=CLIENT_GONE)
    headers = {"X-Regionwise-Warning": quote(warnings[0], safe=" ,:;()")} if warnings else {}
    return Response(data, media_type=MEDIA_TYPES[kind], headers=headers)


def _work(context: Context, form: Form, stop: Stop) -> partial[tuple[bytes, str, list[str]]]:
    """What a worker is to do for a form; the store is looked at here, in the event loop."""
    wanted = read_options(StatelessFill, form.fields)
    photo, mask = form.files.get("photo"), form.files.get("mask")
    if (photo is None) == (wanted.photo_id is None):
        raise RefusedError(422, "send either the file `photo` or the field `photo_id`")
    if photo is not None:
        if wanted.result:
            raise RefusedError(422, "`result` is of a photo that was sent before; give `photo_id`")
        read = partial(jobs.open_photo, photo.data, context.settings.max_pixels)
    else:
        stored = context.store.get(wanted.photo_id or "")
        patches = stored.patches_of(wanted.result)
        read = partial(lambda: with_patches(context.photo(stored), patches))
    return partial(_fill, context, read, mask.data if mask else None, wanted, stop)


def _fill(
    context: Context, read: Any, mask: bytes | None, wanted: StatelessFill, stop: Stop
) -> tuple[bytes, str, list[str]]:
    stop.begin()
    filling = jobs.fill(
        read(),
        mask,
        wanted,
        context.engine(wanted.options),
        stop,
        max_pixels=context.settings.max_pixels,
    )
    return encode_photo(filling.photo), filling.photo.format or "PNG", filling.warnings
