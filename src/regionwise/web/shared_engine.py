"""One engine for all requests: what several ask at once is joined into batches."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from regionwise.arrays import Floats
from regionwise.engines.engine import Engine, Wrapper
from regionwise.filling.windows import VIEW


@dataclass(eq=False)
class _Asked:
    images: Floats
    masks: Floats
    answer: Floats | None = None

    @property
    def size(self) -> tuple[int, ...]:
        return self.images.shape[2:]


class SharedEngine(Wrapper):
    """An engine that many threads may ask: one batch runs at a time.

    Whoever gets the engine next takes along what others ask at that moment, if it is of the same
    size and the batch stays below `pixels`. Nobody waits for a batch to become full. A batch that
    fails is tried again alone, so that no one suffers for another's windows.
    """

    def __init__(self, engine: Engine, pixels: int = VIEW * VIEW) -> None:
        """Share an engine.

        Args:
            engine: what fills.
            pixels: rows × columns × pictures of the largest batch that is joined.
        """
        super().__init__(engine)
        self._pixels = pixels
        self._waiting: list[_Asked] = []
        self._list = threading.Lock()
        self._running = threading.Lock()

    def fill(self, images: Floats, masks: Floats) -> Floats:
        """Fill a batch, see `regionwise.engines.engine.Engine`."""
        asked = _Asked(images, masks)
        with self._list:
            self._waiting.append(asked)
        with self._running:
            if asked.answer is None:
                self._run(self._take(asked))
        if asked.answer is None:
            raise AssertionError("a batch that ran has an answer")
        return asked.answer

    def _take(self, first: _Asked) -> list[_Asked]:
        """Take what can be joined out of the list."""
        batch = [first]
        count = len(first.images)
        picture = first.size[0] * first.size[1]
        with self._list:
            self._waiting.remove(first)
            for other in list(self._waiting):
                if (
                    other.size == first.size
                    and (count + len(other.images)) * picture <= self._pixels
                ):
                    batch.append(other)
                    count += len(other.images)
        return batch

    def _run(self, batch: list[_Asked]) -> None:
        first = batch[0]
        if len(batch) > 1:
            try:
                answers = self.engine.fill(
                    np.concatenate([asked.images for asked in batch]),
                    np.concatenate([asked.masks for asked in batch]),
                )
            except Exception:  # of any kind: each one's own error comes when it runs alone
                batch = [first]
            else:
                start = 0
                with self._list:
                    for asked in batch:
                        asked.answer = answers[start : start + len(asked.images)]
                        start += len(asked.images)
                    self._waiting = [asked for asked in self._waiting if asked.answer is None]
                return
        first.answer = self.engine.fill(first.images, first.masks)


class Engines:
    """The engines in use, by model and seed; the one that was used longest ago goes first."""

    def __init__(self, load: Callable[[str, int], Engine], most: int = 3) -> None:
        """Keep engines.

        Args:
            load: gives an engine for a model's name and a seed.
            most: how many are kept.
        """
        self._load = load
        self._most = most
        self._engines: OrderedDict[tuple[str, int], SharedEngine] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, model: str, seed: int) -> SharedEngine:
        """The engine for a model and a seed; blocks while it is loaded.

        Raises:
            RegionwiseError: as `load` does.
        """
        key = model, seed
        with self._lock:
            if key not in self._engines:
                self._engines[key] = SharedEngine(self._load(model, seed))
                while len(self._engines) > self._most:
                    self._engines.popitem(last=False)
            self._engines.move_to_end(key)
            return self._engines[key]
