"""Who asks: fairness, and patience with wrong tokens, are by address."""

from __future__ import annotations

import ipaddress
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from starlette.types import Scope

from regionwise.web.refusals import RefusedError

_MOST_ADDRESSES = 10_000
_SLOW = 200_000
"""Bytes a second below which a body gives way to another."""


def client_of(scope: Scope) -> str:
    """The address of a request's sender; of IPv6 the network, which one sender has to itself.

    Behind a proxy on this computer it is what the proxy says (X-Forwarded-For, see uvicorn).
    """
    host = str((scope.get("client") or ("", 0))[0])
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host
    if address.version == 6:
        return str(ipaddress.ip_network((int(address) >> 64 << 64, 64)))
    return host


class WrongTokens:
    """Lets an address guess the token a few times a minute."""

    def __init__(
        self, most: int = 10, seconds: float = 60, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Start without any.

        Args:
            most: wrong tokens that an address may show in a stretch of time.
            seconds: that stretch.
            clock: seconds.
        """
        self._most, self._seconds, self._clock = most, seconds, clock
        self._wrong: OrderedDict[str, deque[float]] = OrderedDict()

    def check(self, client: str) -> None:
        """Refuse a token unseen from an address that showed too many wrong ones.

        Raises:
            RefusedError: with 429.
        """
        times = self._wrong.get(client)
        if times is None or len(times) < self._most:
            return
        wait = times[0] + self._seconds - self._clock()
        if wait > 0:
            raise RefusedError(
                429, "too many wrong tokens; try again in a minute", retry_after=int(wait) + 1
            )

    def add(self, client: str) -> None:
        """An address showed a wrong one."""
        times = self._wrong.setdefault(client, deque(maxlen=self._most))
        times.append(self._clock())
        self._wrong.move_to_end(client)
        while len(self._wrong) > _MOST_ADDRESSES:
            self._wrong.popitem(last=False)


@dataclass(eq=False)
class Arriving:
    """A body on its way.

    Attributes:
        client: who sends it.
        started: when, in seconds of the clock.
        received: bytes so far.
        gives_way: whether a quicker one takes its place.
    """

    client: str
    started: float
    received: int = 0
    gives_way: bool = False


class Arrivals:
    """Bounds the bodies that arrive at a time, in all and of each client.

    Where all places are taken, the slowest sender gives way, if it is slow.
    """

    def __init__(
        self, most: int, most_each: int, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Start without any."""
        self._most, self._most_each, self._clock = most, most_each, clock
        self._bodies: list[Arriving] = []

    @contextmanager
    def place(self, client: str) -> Iterator[Arriving]:
        """Let a body arrive.

        Raises:
            RefusedError: with 429 if too many do.
        """
        own = [body for body in self._bodies if body.client == client]
        if len(own) >= self._most_each:
            self._make_way(own)
        elif len(self._bodies) >= self._most:
            self._make_way(self._bodies)
        body = Arriving(client, self._clock())
        self._bodies.append(body)
        try:
            yield body
        finally:
            if body in self._bodies:
                self._bodies.remove(body)

    def _make_way(self, bodies: list[Arriving]) -> None:
        """Let the slowest of some bodies go.

        Raises:
            RefusedError: if none is slow.
        """
        slowest = min(bodies, key=self._speed)
        if self._speed(slowest) > _SLOW:
            raise RefusedError(
                429, "too many requests arrive at a time; try again in a moment", retry_after=2
            )
        slowest.gives_way = True
        self._bodies.remove(slowest)

    def _speed(self, body: Arriving) -> float:
        """Bytes a second; the first half of a second counts as done."""
        return (body.received + _SLOW / 2) / (self._clock() - body.started + 0.25)
