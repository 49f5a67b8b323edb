"""Connections that don't wait forever for a request's head.

uvicorn closes a connection that is silent after an answer, but has no deadline for the head of a
request; hypercorn and granian would bring another server for this alone. So a connection here has
one, and when too many wait for a head, the one that has waited longest goes: whoever opens hundreds
and says nothing takes no place from those who ask.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from typing import ClassVar

from uvicorn.protocols.http.h11_impl import H11Protocol


class Connection(H11Protocol):
    """Waits for the head of a request, or serves one; see `connection_kind`."""

    seconds: ClassVar[float]
    most: ClassVar[int]
    waiting: ClassVar[OrderedDict[Connection, None]]
    deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A client is there: its first request's head must come in time."""
        super().connection_made(transport)
        self._wait()

    def data_received(self, data: bytes) -> None:
        """Bytes came: the end of a head, or the beginning of the next one's."""
        super().data_received(data)
        if self.cycle is not None and not self.cycle.response_complete:
            self._end_wait()
        elif self.deadline is None and not self.transport.is_closing():
            self._wait()

    def on_response_complete(self) -> None:
        """An answer is out: what came of the next head while it was made waits from now on."""
        super().on_response_complete()
        begun, _ = self.conn.trailing_data
        served = self.cycle.response_complete
        if begun and served and self.deadline is None and not self.transport.is_closing():
            self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """The client is gone."""
        self._end_wait()
        super().connection_lost(exc)

    def _wait(self) -> None:
        self.deadline = self.loop.call_later(self.seconds, self._give_up)
        self.waiting[self] = None
        if len(self.waiting) > self.most:
            next(iter(self.waiting))._give_up()

    def _end_wait(self) -> None:
        self.waiting.pop(self, None)
        if self.deadline is not None:
            self.deadline.cancel()
            self.deadline = None

    def _give_up(self) -> None:
        self._end_wait()
        if not self.transport.is_closing():
            self.transport.close()


def connection_kind(seconds: float = 10.0, most: int = 128) -> type[asyncio.Protocol]:
    """The connections of one server, for uvicorn's setting `http`.

    Args:
        seconds: that the head of a request may take.
        most: connections that may wait for a head.
    """
    own = {"seconds": seconds, "most": most, "waiting": OrderedDict()}
    return type("ServerConnection", (Connection,), own)
