"""Progress bars on stderr."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from regionwise.classical.progress import ReportProgress

_PATIENCE = 1.0
"""Seconds after which a single photo gets a progress bar, if more than a quarter is left to do."""


@contextmanager
def photo_bar(count: int, shown: bool) -> Iterator[Callable[[], None]]:
    """A progress bar over photos; gives what to call after each."""
    if not shown:
        yield lambda: None
        return
    with _bar() as bar:
        task = bar.add_task("photos", total=count)
        yield lambda: bar.advance(task)


@contextmanager
def fill_bar(shown: bool) -> Iterator[ReportProgress]:
    """A progress bar for one photo, if it takes long."""
    started = time.monotonic()
    with ExitStack() as stack:
        tasks: list[tuple[Any, Any]] = []

        def step(share: float) -> None:
            waited = time.monotonic() - started > _PATIENCE
            if shown and not tasks and waited and share < 0.75:
                bar = stack.enter_context(_bar())
                tasks.append((bar, bar.add_task("filling", total=1.0)))
            for bar, task in tasks:
                bar.update(task, completed=share)

        yield step


def _bar() -> Any:
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        Progress,
        TaskProgressColumn,
        TextColumn,
        TimeRemainingColumn,
    )

    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn())
    return Progress(*columns, TimeRemainingColumn(), console=Console(stderr=True), transient=True)
