"""A bounded queue before the workers: who finds it full is told when to come back."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

from regionwise.web.refusals import RefusedError

Result = TypeVar("Result")

_LONGEST_WAIT = 60  # seconds that a client is asked to wait before it tries again


class FillQueue:
    """Work for threads. A place is taken before a body is read, so that bodies too stay few."""

    def __init__(self, workers: int, waiting: int) -> None:
        """Start the threads.

        Args:
            workers: how many work at a time.
            waiting: how many more may hold a place.
        """
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="regionwise-fill")
        self._workers = workers
        self._places = workers + waiting
        self._seconds = 1.0  # that a piece of work takes, a running mean
        self.taken = 0
        self.closing = False

    @contextmanager
    def place(self) -> Iterator[None]:
        """Hold a place.

        Raises:
            RefusedError: with 429 if there is none.
        """
        if self.taken >= self._places:
            seconds = math.ceil(self._seconds * self.taken / self._workers)
            raise RefusedError(
                429,
                "the server has its hands full; try again in a moment",
                retry_after=max(1, min(seconds, _LONGEST_WAIT)),
            )
        self.taken += 1
        try:
            yield
        finally:
            self.taken -= 1

    @property
    def ahead(self) -> int:
        """How many of those that hold a place have to wait."""
        return max(0, self.taken - self._workers)

    async def run(self, work: Callable[[], Result]) -> Result:
        """Do a piece of work in one of the threads."""

        def timed() -> Result:
            started = time.perf_counter()
            try:
                return work()
            finally:
                self._seconds += 0.2 * (time.perf_counter() - started - self._seconds)

        return await asyncio.get_running_loop().run_in_executor(self._pool, timed)

    def close(self) -> None:
        """Start nothing more; what runs sees `closing` and stops at its next window."""
        self.closing = True
        self._pool.shutdown(wait=False, cancel_futures=True)
