"""Stop when asked: by Ctrl-C, by SIGTERM, or when the time is up."""

from __future__ import annotations

import signal
import threading
import time
from types import FrameType
from typing import Any


class StopRequest:
    """While it is open, the first Ctrl-C or SIGTERM is only noted; the second one ends at once.

    Args:
        minutes: after which to stop; None = never.

    Attributes:
        reason: why to stop, "" for no reason.
    """

    def __init__(self, minutes: float | None = None) -> None:
        self._deadline = None if minutes is None else time.monotonic() + 60 * minutes
        self._minutes = minutes
        self._reason = ""
        self._before: dict[int, Any] = {}
        self.by_signal = False

    @property
    def reason(self) -> str:
        """See the class."""
        if not self._reason and self._deadline and time.monotonic() >= self._deadline:
            self._reason = f"the {self._minutes:g} minutes are over"
        return self._reason

    def __enter__(self) -> StopRequest:
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                self._before[number] = signal.signal(number, self._note)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _note(self, number: int, frame: FrameType | None) -> None:
        if self.by_signal:
            raise KeyboardInterrupt
        self.by_signal = True
        self._reason = "Ctrl-C" if number == signal.SIGINT else "SIGTERM"
