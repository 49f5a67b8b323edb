"""How a training shows how it is doing: a bar on a terminal, a line now and then in a log."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

if TYPE_CHECKING:
    from regionwise.training import loop

_LOG_SECONDS = 30.0


def beside_the_membrane(scores: Mapping[str, float], membrane: Mapping[str, float]) -> str:
    """Scores in words, beside those of a smooth fill."""

    def words(values: Mapping[str, float]) -> str:
        return ", ".join(f"{name} {value:.4g}" for name, value in values.items())

    return f"{words(scores)}; membrane: {words(membrane)}" if scores and membrane else words(scores)


class TrainingDisplay:
    """Losses, pictures a second and the time that is left, on stderr."""

    def __init__(self) -> None:
        self._console = console = Console(stderr=True)
        self._bar: Progress | None = None
        if console.is_terminal:
            self._bar = Progress(
                BarColumn(),
                MofNCompleteColumn(),
                TimeRemainingColumn(),
                TextColumn("{task.description}"),
                console=console,
                speed_estimate_period=300,
            )
        self._task = self._bar.add_task("", total=None) if self._bar else None
        self._started: tuple[float, int] | None = None
        self._logged = 0.0
        self._scores: dict[str, float] = {}

    def __enter__(self) -> TrainingDisplay:
        if self._bar:
            self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar:
            self._bar.stop()

    def update(self, progress: loop.TrainingProgress) -> None:
        """Show a step, and the scores of a validation that came before it."""
        if progress.scores != self._scores:
            self._scores = progress.scores
            scores = beside_the_membrane(progress.scores, progress.membrane)
            self._console.print(f"held-out photos: {scores}", highlight=False)
        losses = "  ".join(f"{name} {value:.4g}" for name, value in progress.numbers.items())
        speed = f"{progress.pictures_per_second:.1f} pictures/s"
        text = f"{progress.phase}  {speed}  {losses}"
        if self._bar and self._task is not None:
            self._bar.update(
                self._task, completed=progress.done, total=progress.steps, description=text
            )
            return
        now = time.monotonic()
        self._started = self._started or (now, progress.done)
        if now - self._logged >= _LOG_SECONDS or progress.done == progress.steps:
            self._logged = now
            left = self._minutes_left(now, progress)
            print(f"{progress.done}/{progress.steps}  {left}{text}", file=sys.stderr, flush=True)

    def _minutes_left(self, now: float, progress: loop.TrainingProgress) -> str:
        assert self._started
        start, first = self._started
        if progress.done == first:
            return ""
        seconds = (now - start) / (progress.done - first) * (progress.steps - progress.done)
        return f"{seconds / 60:.0f} minutes left  "
