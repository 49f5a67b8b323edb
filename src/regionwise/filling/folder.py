"""Fill photo files: one, or all of a folder, where failures are reported and the run goes on."""

from __future__ import annotations

import os
import time
from collections.abc import Generator, Iterable
from pathlib import Path

import numpy as np

from regionwise.classical.progress import ReportProgress
from regionwise.engines.engine import Engine
from regionwise.errors import OutputError, RegionwiseError
from regionwise.filling.folder_jobs import Job, Listing, format_of_file
from regionwise.filling.options import FillOptions
from regionwise.filling.outcome import FillOutcome
from regionwise.filling.photo_bytes import NO_MEMORY
from regionwise.filling.place import fill_place


def fill_file(
    job: Job,
    engine: Engine,
    options: FillOptions,
    *,
    overwrite: bool = False,
    progress: ReportProgress | None = None,
) -> FillOutcome:
    """Fill one photo and write the result, whole or not at all.

    Raises:
        RegionwiseError: with one line that names the file.
    """
    kind = format_of_file(job.photo)
    output = job.output if kind is None else job.output_as(kind)
    mask = job.find_mask()
    return fill_place(
        str(job.photo),
        None if mask is None else str(mask),
        str(output),
        engine,
        options,
        key=job.key,
        overwrite=overwrite,
        progress=progress,
    )


def fill_folder(
    jobs: Iterable[Job], engine: Engine, options: FillOptions, *, overwrite: bool = False
) -> Generator[FillOutcome, None, None]:
    """Fill one photo after another; what fails is told in the outcome, and the run goes on.

    A photo whose output exists is skipped unless `overwrite` is on: a run that was stopped goes on
    where it stopped.

    Raises:
        ModelError: at once, if the model doesn't run here; likewise `CheckpointError`.
    """
    try_engine(engine)
    listing = Listing()
    for job in jobs:
        if not overwrite and listing.has_result(job):
            yield skipped(job)
        else:
            yield fill_job(job, engine, options, overwrite=overwrite)


def skipped(job: Job) -> FillOutcome:
    """The row of a photo whose result is there."""
    return FillOutcome("skipped", key=job.key, photo=str(job.photo), output=str(job.output))


def failed(job: Job, error: str) -> FillOutcome:
    """The row of a photo that can't be filled."""
    return FillOutcome("failed", error, key=job.key, photo=str(job.photo), output=str(job.output))


def fill_job(
    job: Job, engine: Engine, options: FillOptions, *, overwrite: bool = False
) -> FillOutcome:
    """Fill a photo into its folder, which is made; what goes wrong is told in the row."""
    try:
        make_folder(job.output.parent)
        return fill_file(job, engine, options, overwrite=overwrite)
    except RegionwiseError as error:
        return failed(job, str(error))
    except MemoryError:
        return failed(job, NO_MEMORY)


def make_folder(folder: Path) -> None:
    """Make a folder and those above it.

    Raises:
        OutputError: if that can't be.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(
            f"{folder} can't be made ({error.strerror or error}); write to another folder"
        ) from error


def remove_leftovers(folder: Path, *, older_than: float = 3600) -> int:
    """Remove what processes that were killed left half written in a folder of results.

    Args:
        folder: with its sub-folders.
        older_than: seconds; younger ones may be another process's, which is at work.

    Returns:
        How many files were removed.
    """
    removed = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            if is_unfinished(name):
                file = Path(parent, name)
                try:
                    if time.time() - file.stat().st_mtime > older_than:
                        file.unlink()
                        removed += 1
                except OSError:
                    continue
    return removed


def is_unfinished(name: str) -> bool:
    """Whether a file's name is one of those that `regionwise.output` writes to at first."""
    stem, _, ending = name.rpartition(".")
    hexadecimal = len(ending) == 8 and all(letter in "0123456789abcdef" for letter in ending)
    return name.startswith(".") and hexadecimal and "." in stem[1:]


def try_engine(engine: Engine) -> None:
    """Fill a tiny picture, so that a model that doesn't run here ends the run before it starts."""
    images = np.zeros((1, 3, 32, 32), np.float32)
    masks = np.zeros((1, 1, 32, 32), np.float32)
    masks[..., 8:24, 8:24] = 1
    engine.fill(images, masks)
