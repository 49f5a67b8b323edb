"""What the routes of one server share."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TypeVar

import anyio
import anyio.to_thread
import numpy as np
from starlette.requests import Request

from regionwise.engines.engine import Engine
from regionwise.engines.words import WORDS, WordedEngine
from regionwise.engines.zoo import list_models, load_model
from regionwise.errors import ModelError
from regionwise.filling.options import FillOptions
from regionwise.photos.photo import Photo
from regionwise.selection.by_outlines import OutlineSegmenter
from regionwise.selection.prompt import Segmenter
from regionwise.selection.sam import SamSegmenter
from regionwise.web.clients import Arrivals, client_of
from regionwise.web.fill_queue import FillQueue
from regionwise.web.forms import BodyLimits, Form, read_body, read_form
from regionwise.web.jobs import open_photo
from regionwise.web.messages import ModelInfo
from regionwise.web.photo_store import Arrival, DecodedPhotos, KeptPhoto, PhotoStore
from regionwise.web.settings import ServerSettings
from regionwise.web.shared_engine import Engines
from regionwise.web.stopping import Stop
from regionwise.weights import bundled

_Answer = TypeVar("_Answer")

_SMALL_BODY = 250_000  # bytes; a thousand photos for a zip are half of it


class Context:
    """The queue, the photos and the engines of a server."""

    def __init__(self, settings: ServerSettings) -> None:
        self.settings = settings
        self.queue = FillQueue(settings.workers, settings.waiting)
        self.decoded = DecodedPhotos(settings.decoded_memory)
        self.store = PhotoStore(
            settings.memory, settings.idle_seconds, on_forget=self.decoded.forget
        )
        self.segmenter: Segmenter = (
            OutlineSegmenter() if settings.segmenter is None else SamSegmenter(settings.segmenter)
        )
        self._arrivals = Arrivals(settings.arriving, settings.arriving_each)
        self.models = describe_models(settings.model)
        self._engines = Engines(self._load)
        self._drawing = anyio.CapacityLimiter(2)  # threads, so that tiles come while others fill

    def engine(self, options: FillOptions) -> Engine:
        """The engine for a request; blocks while it is loaded.

        A request names models of the list, or words, alone: what it says is never taken for a file.

        Raises:
            ModelError: if there is no such model, or it lacks something.
        """
        name = os.fspath(options.model)
        if name in WORDS:
            network = self.engine(replace(options, model=WORDS[name].model))
            return WordedEngine(network, name)
        default = next(model.name for model in self.models if model.default)
        name = default if name == "default" else name
        model = next((model for model in self.models if model.name == name), None)
        if model is None:
            names = ", ".join(model.name for model in self.models)
            raise ModelError(f"there is no model {name!r} on this server; give one of {names}")
        return self._engines.get(model.name, options.seed if model.seeded else 0)

    def warm_up(self) -> None:
        """Fill a tiny picture, so that a model that doesn't run here is told at the start.

        Raises:
            RegionwiseError: if it doesn't.
        """
        masks = np.zeros((1, 1, 32, 32), np.float32)
        masks[..., 8:24, 8:24] = 1
        self.engine(FillOptions()).fill(np.zeros((1, 3, 32, 32), np.float32), masks)

    def _load(self, name: str, seed: int) -> Engine:
        given = os.fspath(self.settings.model)
        is_given_file = Path(given).is_file() and name == Path(given).stem
        return load_model(given if is_given_file else name, self.settings.device, seed=seed)

    def tidy(self) -> None:
        """Forget the photos that nobody asked for in a long time."""
        self.store.forget_idle()

    def stop(self) -> Stop:
        """A new deadline for a fill."""
        return Stop(self.settings.fill_seconds, lambda: self.queue.closing)

    @asynccontextmanager
    async def form(self, request: Request) -> AsyncIterator[tuple[Form, Arrival]]:
        """Read a request's form, within the limits; its bytes count until the block ends."""
        client = client_of(request.scope)
        self.queue.check_room(client)  # or all would be sent for nothing
        with self.store.arrival() as arrival:
            with self._arrivals.place(client) as body:
                settings = self.settings
                limits = BodyLimits(
                    settings.max_bytes, settings.upload_seconds, arrival.count, body
                )
                form = await read_form(request, limits)
            yield form, arrival

    async def small_body(self, request: Request) -> bytes:
        """Read the body of a request that brings no picture."""
        with self._arrivals.place(client_of(request.scope)) as body:
            limits = BodyLimits(_SMALL_BODY, self.settings.upload_seconds, arriving=body)
            return await read_body(request, limits)

    async def draw(self, work: Callable[[], _Answer]) -> _Answer:
        """Do a short piece of work in a thread, without a place in the queue."""
        return await anyio.to_thread.run_sync(work, limiter=self._drawing)

    def photo(self, stored: KeptPhoto) -> Photo:
        """The decoded photo, without results; blocks while it is decoded."""
        decode = partial(open_photo, stored.source, self.settings.max_pixels)
        return self.decoded.get(stored.id, decode)


def describe_models(default: str | os.PathLike[str]) -> list[ModelInfo]:
    """What clients may choose from: the named models, and the file given at the start."""
    chosen = os.fspath(default)
    if chosen == "default":
        chosen = bundled.DEFAULT
    models = [
        ModelInfo(
            name=card.name,
            title=card.title,
            paper=card.paper,
            licences=card.licences,
            size=card.size,
            installed=card.installed,
            install=card.install,
            default=card.name == chosen,
            seeded=card.seeded,
        )
        for card in list_models()
    ]
    if any(model.default for model in models):
        return models
    file = Path(chosen)
    own = ModelInfo(
        name=file.stem,
        title="the weights that this server was started with",
        paper="",
        licences={},
        size=file.stat().st_size if file.is_file() else 0,
        installed=True,
        install="",
        default=True,
        seeded=True,
    )
    return [own, *(model for model in models if model.name != own.name)]


def context_of(request: Request) -> Context:
    """The context that `create_app` left with the application."""
    context: Context = request.app.state.context
    return context
