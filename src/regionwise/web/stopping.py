"""Stop a fill on its way: its client has gone, its time is over, or the server ends."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from starlette.requests import Request

from regionwise.arrays import Floats
from regionwise.engines.engine import Engine, Wrapper
from regionwise.web.refusals import RefusedError, StoppedError


class Stop:
    """A flag that the event loop sets and a worker thread looks at; it also knows the deadline."""

    def __init__(self, seconds: float, is_closing: Callable[[], bool] = lambda: False) -> None:
        """Start the clock.

        Args:
            seconds: how long the work may take, from its `begin` on.
            is_closing: whether the server ends.
        """
        self._seconds = seconds
        self._deadline = float("inf")
        self._is_closing = is_closing
        self.is_set = False

    def set(self) -> None:
        """Ask for the end."""
        self.is_set = True

    def begin(self) -> None:
        """The work starts now; waiting did not count.

        Raises:
            StoppedError: if it need not start.
        """
        self._deadline = time.monotonic() + self._seconds
        self.check()

    def check(self) -> None:
        """Go on, or not.

        Raises:
            StoppedError: if the end was asked for.
            RefusedError: with 503, if the time is over.
        """
        if self.is_set or self._is_closing():
            raise StoppedError("the fill was stopped")
        if time.monotonic() > self._deadline:
            raise RefusedError(
                503,
                f"the fill took more than {self._seconds:g} s, which is all that this server "
                "gives to one; paint less at a time",
            )


class StoppableEngine(Wrapper):
    """Looks at `stop` before each batch, and so between the views of an ensemble too."""

    def __init__(self, engine: Engine, stop: Stop) -> None:
        super().__init__(engine)
        self._stop = stop

    def fill(self, images: Floats, masks: Floats) -> Floats:
        """Fill a batch, see `regionwise.engines.engine.Engine`."""
        self._stop.check()
        return self.engine.fill(images, masks)


@asynccontextmanager
async def stopped_on_disconnect(request: Request, stop: Stop) -> AsyncIterator[None]:
    """Set `stop` when the client of a request goes; the request's body must have been read."""

    async def watch() -> None:
        while (await request.receive())["type"] != "http.disconnect":
            pass
        stop.set()

    watcher = asyncio.create_task(watch())
    try:
        yield
    finally:
        watcher.cancel()
        stop.set()
