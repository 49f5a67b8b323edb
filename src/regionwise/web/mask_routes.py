"""Masks that the server proposes for a stored photo: a thing that was clicked on, or text."""

from __future__ import annotations

import io
from collections.abc import Callable
from functools import partial
from typing import Annotated, Literal

import numpy as np
from fastapi import APIRouter, Query, Request, Response
from PIL import Image

from regionwise.arrays import Mask
from regionwise.find.kinds import find
from regionwise.selection.prompt import Prompt
from regionwise.web.clients import client_of
from regionwise.web.context import Context, context_of
from regionwise.web.fill_routes import PROBLEMS
from regionwise.web.messages import Selection, read_json
from regionwise.web.patches import with_patches
from regionwise.web.photo_routes import Number
from regionwise.web.photo_store import KeptPhoto
from regionwise.web.refusals import RefusedError

router = APIRouter(prefix="/api/v1", responses=PROBLEMS)

_MOST_OTHERS = 8
_ANSWERS: dict[int | str, dict[str, object]] = {
    200: {
        "description": "The mask, cut to what was found; X-Regionwise-Box is x,y,width,height.",
        "content": {"image/png": {}},
    },
    204: {"description": "Nothing was found."},
}


@router.post(
    "/photos/{identity}/select",
    response_class=Response,
    responses=_ANSWERS,
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": Selection.model_json_schema()}},
        }
    },
)
async def select(request: Request, identity: str) -> Response:
    """Find the thing at some points or in a box, as a mask."""
    context = context_of(request)
    wanted = read_json(Selection, await context.small_body(request))
    stored = context.store.get(identity)
    patches = stored.patches_of(wanted.result)
    prompt = Prompt(
        tuple((point.x, point.y) for point in wanted.points if point.inside),
        tuple((point.x, point.y) for point in wanted.points if not point.inside),
        wanted.box,
        wanted.wider,
    )

    def work() -> Mask:
        photo = with_patches(context.photo(stored), patches)
        return context.segmenter.select(photo.color, prompt)

    return await _answer(request, context, work)


@router.post("/photos/{identity}/find", response_class=Response, responses=_ANSWERS)
async def find_kind(
    request: Request,
    identity: str,
    kind: Literal["text", "scratches", "dust", "watermark"],
    result: Number = 0,
    others: Annotated[
        str, Query(max_length=400, description="Ids of photos with the same watermark, by commas.")
    ] = "",
) -> Response:
    """Find text, scratches, dust or a watermark, as a mask to be corrected."""
    context = context_of(request)
    stored = context.store.get(identity)
    patches = stored.patches_of(result)
    names = [name for name in others.split(",") if name][:_MOST_OTHERS]
    beside: list[KeptPhoto] = [context.store.get(name) for name in names]

    def work() -> Mask:
        photo = with_patches(context.photo(stored), patches)
        same = [context.photo(other).color for other in beside] if kind == "watermark" else []
        return find(kind, photo.color, same)

    return await _answer(request, context, work)


async def _answer(request: Request, context: Context, work: Callable[[], Mask]) -> Response:
    def cut() -> tuple[bytes, tuple[int, int, int, int]] | None:
        return _cut(work())

    try:
        with context.queue.place(client_of(request.scope)) as place:
            answer = await context.queue.run(place, partial(cut))
    except MemoryError as error:
        raise RefusedError(413, "there is not enough memory for this photo") from error
    if answer is None:
        return Response(status_code=204)
    data, box = answer
    headers = {"X-Regionwise-Box": ",".join(map(str, box))}
    return Response(data, media_type="image/png", headers=headers)


def _cut(mask: Mask) -> tuple[bytes, tuple[int, int, int, int]] | None:
    """A mask's part with something in it as a PNG, and where it lies; None for an empty one."""
    rows, columns = (np.flatnonzero(mask.any(axis=axis)) for axis in (1, 0))
    if not len(rows):
        return None
    top, left = int(rows[0]), int(columns[0])
    part = mask[top : int(rows[-1]) + 1, left : int(columns[-1]) + 1]
    file = io.BytesIO()
    Image.fromarray(part).save(file, "PNG")
    return file.getvalue(), (left, top, part.shape[1], part.shape[0])
