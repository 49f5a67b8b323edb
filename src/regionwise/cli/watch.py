"""`regionwise fill FOLDER --watch`: goes on filling what is put into a folder."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from regionwise.engines.engine import Engine
from regionwise.errors import RegionwiseError
from regionwise.filling.folder import fill_job, make_folder, remove_leftovers
from regionwise.filling.options import FillOptions
from regionwise.filling.outcome import FillOutcome
from regionwise.filling.watch import watch_folder


def watch(
    photos: Path,
    masks: Path | None,
    output: Path,
    engine: Engine,
    options: FillOptions,
    tell: Callable[[FillOutcome], None],
    *,
    stop: threading.Event | None = None,
) -> int:
    """Fill what comes into a folder until Ctrl-C.

    Raises:
        RegionwiseError: with one line, if the folders can't be used.
    """
    if not photos.is_dir():
        raise RegionwiseError(f"--watch is for a folder; {photos} is none")
    make_folder(output)
    remove_leftovers(output)
    with suppress(KeyboardInterrupt):
        for outcome in watch_folder(
            photos,
            masks,
            output,
            lambda job: fill_job(job, engine, options, overwrite=True),
            stop=stop,
        ):
            tell(outcome)
    return 0
