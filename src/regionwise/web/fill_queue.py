"""A bounded queue before the workers, fair between clients."""

from __future__ import annotations

import asyncio
import math
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

from regionwise.web.refusals import RefusedError

_Answer = TypeVar("_Answer")

_LONGEST_WAIT = 60  # seconds that a client is asked to wait before it tries again


@dataclass(eq=False)
class QueuePlace:
    """A request's place in the queue.

    Attributes:
        client: who holds it.
        turn: is done when a worker is free for it; None while it doesn't wait.
        order: the smallest is served first.
    """

    client: str
    turn: asyncio.Future[None] | None = None
    order: int = 0


class FillQueue:
    """Work for threads, in the order of start-time fair queuing (Goyal et al., SIGCOMM 1996).

    Clients are served in turn, however many requests one of them has waiting. Where all places are
    taken, a client with fewer of them gets one of those that the busiest client waits in.
    """

    def __init__(self, workers: int, waiting: int) -> None:
        """Start the threads.

        Args:
            workers: how many work at a time.
            waiting: how many more may hold a place.
        """
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="regionwise-fill")
        self._workers = workers
        self._most = workers + waiting
        self._places: list[QueuePlace] = []  # in the order in which they were taken
        self._running = 0
        self._served = 0  # the order of what was served last
        self._orders: dict[str, int] = {}  # of each client's last request
        self._seconds = 1.0  # that a piece of work takes, a running mean
        self.closing = False

    @property
    def taken(self) -> int:
        """How many places are taken."""
        return len(self._places)

    @contextmanager
    def place(self, client: str) -> Iterator[QueuePlace]:
        """Hold a place.

        Raises:
            RefusedError: with 429 if there is none.
        """
        self.check_room(client)
        if self.taken >= self._most:
            self._displace(self._displaceable(client))
        place = QueuePlace(client)
        self._places.append(place)
        try:
            yield place
        finally:
            self._places.remove(place)

    def check_room(self, client: str) -> None:
        """See whether there is a place, without taking it.

        Raises:
            RefusedError: with 429 if there is none.
        """
        if self.taken >= self._most and self._displaceable(client) is None:
            raise self._refusal()

    def _displaceable(self, client: str) -> QueuePlace | None:
        """The latest waiting place of the busiest client, if that has more than `client` would."""
        counts = Counter(place.client for place in self._places)
        waiting = [place for place in self._places if place.turn and not place.turn.done()]
        busiest = max(waiting, key=lambda place: counts[place.client], default=None)
        if busiest is None or counts[busiest.client] <= counts[client] + 1:
            return None
        return [place for place in waiting if place.client == busiest.client][-1]

    def _displace(self, place: QueuePlace | None) -> None:
        if place is not None and place.turn is not None:
            place.turn.set_exception(self._refusal())

    def _refusal(self) -> RefusedError:
        seconds = math.ceil(self._seconds * self.taken / self._workers)
        return RefusedError(
            429,
            "the server has its hands full; try again in a moment",
            retry_after=max(1, min(seconds, _LONGEST_WAIT)),
        )

    @property
    def ahead(self) -> int:
        """How many of those that hold a place have to wait."""
        return max(0, self.taken - self._workers)

    async def run(self, place: QueuePlace, work: Callable[[], _Answer]) -> _Answer:
        """Do a piece of work in one of the threads, when it is this client's turn.

        Raises:
            RefusedError: with 429 if the place was given to another client meanwhile.
        """
        await self._turn(place)
        started = time.perf_counter()
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, work)
        finally:
            self._seconds += 0.2 * (time.perf_counter() - started - self._seconds)
            self._running -= 1
            self._next()

    async def _turn(self, place: QueuePlace) -> None:
        place.order = max(self._served, self._orders.get(place.client, 0)) + 1
        self._orders[place.client] = place.order
        place.turn = asyncio.get_running_loop().create_future()
        self._next()
        try:
            await place.turn
        except asyncio.CancelledError:
            if place.turn.done() and not place.turn.cancelled():
                self._running -= 1  # its turn had come in the same moment
            raise
        finally:
            place.turn = None
            self._next()

    def _next(self) -> None:
        """Let the next ones begin while workers are free."""
        waiting = [place for place in self._places if place.turn and not place.turn.done()]
        waiting.sort(key=lambda place: place.order)  # stable: the first come of equals
        for place in waiting[: max(0, self._workers - self._running)]:
            if place.turn is not None:
                place.turn.set_result(None)
                self._running += 1
                self._served = max(self._served, place.order)
        self._orders = {
            client: order for client, order in self._orders.items() if order > self._served
        }

    def close(self) -> None:
        """Start nothing more; what runs sees `closing` and stops at its next window."""
        self.closing = True
        self._pool.shutdown(wait=False, cancel_futures=True)
