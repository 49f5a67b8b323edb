"""Who asks: fairness, and patience with wrong tokens, are by address."""

from __future__ import annotations

import ipaddress
import time
from collections import Counter, OrderedDict, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from starlette.types import Scope

from regionwise.web.refusals import RefusedError

_MOST_ADDRESSES = 10_000


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


class Arrivals:
    """Bounds the bodies that arrive at a time, in all and of each client."""

    def __init__(self, most: int, most_each: int) -> None:
        """Start without any."""
        self._most, self._most_each = most, most_each
        self._counts: Counter[str] = Counter()

    @contextmanager
    def place(self, client: str) -> Iterator[None]:
        """Let a body arrive.

        Raises:
            RefusedError: with 429 if too many do.
        """
        if self._counts[client] >= self._most_each or self._counts.total() >= self._most:
            raise RefusedError(
                429, "too many requests arrive at a time; try again in a moment", retry_after=2
            )
        self._counts[client] += 1
        try:
            yield
        finally:
            self._counts[client] -= 1
            if not self._counts[client]:
                del self._counts[client]
