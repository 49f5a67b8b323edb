"""Fill the photos of a folder: failures are reported, and the run goes on."""

from __future__ import annotations

import os
import time
from collections.abc import Generator, Iterable
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

import numpy as np

from regionwise.engines.engine import Engine
from regionwise.errors import MaskError, PhotoError, RegionwiseError
from regionwise.filling.folder_jobs import Job, Listing
from regionwise.filling.options import FillOptions
from regionwise.filling.outcome import FillOutcome
from regionwise.filling.photo_bytes import NO_MEMORY, filled_bytes
from regionwise.filling.place import with_lie
from regionwise.filling.results import FileResults, Results
from regionwise.photos.formats import format_of_path
from regionwise.photos.photo_source import PhotoSource
from regionwise.photos.reading import bytes_of, known_format

if TYPE_CHECKING:
    from regionwise.filling.detail import Series


def fill_folder(
    jobs: Iterable[Job],
    engine: Engine,
    options: FillOptions,
    *,
    overwrite: bool = False,
    steady: bool = False,
) -> Generator[FillOutcome, None, None]:
    """Fill one photo after another; what fails is told in the outcome, and the run goes on.

    A photo whose output exists is skipped unless `overwrite` is on: a run that was stopped goes on
    where it stopped.

    Args:
        jobs: as `find_jobs` gives them.
        engine: a model.
        options: of the fill.
        overwrite: fill again what is there.
        steady: the photos of a folder, each sub-folder by itself, are frames of a video: a hole is
            copied from where it was copied in the photo before.

    Raises:
        ModelError: at once, if the model doesn't run here; likewise `CheckpointError`.
    """
    try_engine(engine)
    listing, results = Listing(), FileResults(overwrite=overwrite)
    series: Series | None = None
    folder: PurePosixPath | None = None
    for job in jobs:
        if steady and job.relative.parent != folder:
            folder, series = job.relative.parent, _new_series()
        if not overwrite and listing.has_result(job):
            yield skipped(job)
        else:
            yield fill_job(job, engine, options, results, series)


def _new_series() -> Series:
    from regionwise.filling.detail import Series  # see `filling.fill_photo`

    return Series()


def skipped(job: Job) -> FillOutcome:
    """The row of a photo whose result is there."""
    return FillOutcome("skipped", key=job.key, photo=str(job.photo), output=str(job.output))


def failed(job: Job, error: str) -> FillOutcome:
    """The row of a photo that can't be filled."""
    return FillOutcome("failed", error, key=job.key, photo=str(job.photo), output=str(job.output))


def fill_job(
    job: Job,
    engine: Engine,
    options: FillOptions,
    results: Results,
    series: Series | None = None,
) -> FillOutcome:
    """Fill a photo and write the result; what goes wrong is told in the row."""
    try:
        return _fill_job(job, engine, options, results, series)
    except RegionwiseError as error:
        return failed(job, str(error))
    except MemoryError:
        return failed(job, NO_MEMORY)


def _fill_job(
    job: Job, engine: Engine, options: FillOptions, results: Results, series: Series | None
) -> FillOutcome:
    started = time.perf_counter()
    name = str(job.photo)
    data = read_source(job.photo)
    kind = known_format(data, name)
    target = job.output_as(kind)
    results.check(target)
    mask = job.find_mask()
    result, outcome = filled_bytes(
        data,
        None if mask is None else _read_mask(mask),
        options,
        engine,
        output_format=format_of_path(PurePosixPath(target)).name,
        name=name,
        mask_name=None if mask is None else str(mask),
        series=series,
    )
    results.write(result, target)
    return replace(
        with_lie(outcome, PurePosixPath(job.key), kind),
        seconds=time.perf_counter() - started,
        key=job.key,
        photo=name,
        output=str(target),
    )


def read_source(photo: PhotoSource) -> bytes:
    """All bytes of a photo.

    Raises:
        PhotoError: if it can't be read.
    """
    if not photo.is_part and isinstance(photo.file, Path):
        return bytes_of(photo.file, str(photo))
    try:
        return photo.read()
    except OSError as error:
        raise PhotoError(f"{photo} can't be read ({error.strerror or error})") from error


def _read_mask(mask: PhotoSource) -> bytes:
    try:
        return read_source(mask)
    except PhotoError as error:
        raise MaskError(f"the mask can't be used: {error}") from error


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
