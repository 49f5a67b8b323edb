"""A folder filled by the machines of a Ray cluster, as one machine does it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Generator, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from regionwise.cluster.ray_map import RayCluster, map_on_ray
from regionwise.engines.engine import Engine
from regionwise.engines.zoo import load_model
from regionwise.errors import MaskError, OutputError
from regionwise.filling.folder import failed, fill_job, skipped, try_engine
from regionwise.filling.folder_jobs import Job, Jobs, Listing, MaskColumn
from regionwise.filling.mask_folder import MaskFolder
from regionwise.filling.options import FillOptions
from regionwise.filling.outcome import FillOutcome
from regionwise.filling.results import (
    FileResults,
    TarResults,
    open_tar,
    rows_in_tars,
    rows_of_tar,
    tar_name,
    write_rows,
)
from regionwise.photos.stored_files import is_address, within

_PIECE = 32
"""Photos that an actor takes at a time, where results are files."""
_SPLIT = 8
"""A piece that was lost time and again is cut in so many, down to the photo that loses it."""


def fill_folder_on_ray(
    jobs: Jobs,
    options: FillOptions,
    cluster: RayCluster,
    *,
    overwrite: bool = False,
    per_tar: int | None = None,
    done: Collection[str] = (),
) -> Generator[FillOutcome, None, None]:
    """As `regionwise.filling.folder.fill_folder`, by the actors of a cluster.

    Each photo has one row, and its result is written whole. What was lost with a machine is filled
    again; a photo that ends its actor time and again has failed, and costs no other.

    Args:
        jobs: as `find_jobs` gives them. Photos, masks and the folder of results are seen by all
            machines under these names: they lie on a shared disk, or have addresses.
        options: of the fill.
        cluster: where.
        overwrite: fill again what is there.
        per_tar: write tars of so many photos in place of files, each with its rows beside it.
        done: photos that are passed over like those whose results are there.

    Raises:
        ModelError: at once, if the model doesn't run here; likewise `CheckpointError`.
        RegionwiseError: if there is no such cluster, or a machine of it can't do the work.
    """
    try_engine(_engine(options, 1))
    left: list[int] = []
    for number, known in _known(jobs, overwrite=overwrite, per_tar=per_tar is not None, done=done):
        if known is None:
            left.append(number)
        else:
            yield known
    own, unmasked = _with_own_masks(jobs, left)
    yield from unmasked
    without = {row.key for row in unmasked}
    if without:
        left = [number for number in left if jobs.photos.name(number) not in without]
    size = per_tar or max(1, min(_PIECE, len(left) // (4 * (cluster.workers or 16))))
    retried = False
    while left:
        gone = yield from _fill_round(own, left, size, options, cluster, per_tar is not None)
        if size == 1 and retried:
            break
        retried = size == 1
        left, size = gone, max(1, size // _SPLIT)
    for number in left:
        yield failed(own[number], "it ended its process each time, for lack of memory perhaps")


def _known(
    jobs: Jobs, *, overwrite: bool, per_tar: bool, done: Collection[str]
) -> Iterator[tuple[int, FillOutcome | None]]:
    """The row of each photo that is done already, by an earlier run; None of others."""
    listing = Listing()
    rows = {}
    if per_tar and not overwrite:
        rows = {row.key: row for row in rows_in_tars(jobs.output) if row.status != "failed"}
    for number in range(len(jobs)):
        key = jobs.photos.name(number)
        if overwrite:
            yield number, None
        elif key in done or (not per_tar and listing.has_result(jobs[number])):
            yield number, skipped(jobs[number])
        elif key in rows:
            # As it was: whoever lost it gets it anew.
            yield number, rows[key]
        else:
            yield number, None


def _with_own_masks(jobs: Jobs, numbers: Sequence[int]) -> tuple[Jobs, list[FillOutcome]]:
    """Jobs that know their mask by number, which is little to send; and rows of those without."""
    if not isinstance(jobs.mask, MaskFolder):
        return jobs, []
    found = np.full(len(jobs), -1, np.int64)
    unmasked = []
    for number in numbers:
        try:
            found[number] = jobs.mask.find_number(jobs[number].relative)
        except MaskError as error:
            unmasked.append(failed(jobs[number], str(error)))
    return jobs.with_masks(MaskColumn(jobs.mask.masks, found)), unmasked


@dataclass(frozen=True)
class _Round:
    """What all actors know; its arrays lie in the memory that a machine's actors share."""

    jobs: Jobs
    numbers: NDArray[np.int64]
    size: int
    options: FillOptions
    threads: int
    tars: bool

    def piece(self, number: int) -> list[Job]:
        """The jobs of a piece."""
        start = number * self.size
        return [self.jobs[int(one)] for one in self.numbers[start : start + self.size]]


def _fill_round(
    jobs: Jobs,
    numbers: Sequence[int],
    size: int,
    options: FillOptions,
    cluster: RayCluster,
    tars: bool,
) -> Generator[FillOutcome, None, list[int]]:
    """Fill photos in pieces; gives the numbers of those whose pieces were lost."""
    threads = max(1, int(cluster.processors))
    shared = _Round(jobs, np.array(numbers, np.int64), size, options, threads, tars)
    pieces = range(-(-len(numbers) // size))
    lost = set(pieces)
    for piece, rows in map_on_ray(pieces, _open_work, shared, cluster):
        if piece in lost:
            lost.remove(piece)
            yield from rows
    return [one for piece in sorted(lost) for one in numbers[piece * size : (piece + 1) * size]]


def _open_work(shared: _Round) -> Callable[[int], list[FillOutcome]]:
    """Open the engine in an actor."""
    output = shared.jobs.output
    if not is_address(output) and not Path(output).is_dir():
        raise OutputError(f"{output} is not there; write to a disk that all share, or an address")
    engine = _engine(shared.options, shared.threads)
    try_engine(engine)
    return lambda number: _fill_piece(shared.piece(number), engine, shared)


def _fill_piece(jobs: list[Job], engine: Engine, shared: _Round) -> list[FillOutcome]:
    if shared.tars:
        return _fill_tar(jobs, engine, shared)
    # What is there now and was not at the start is of this run: an actor that was lost wrote it.
    results = FileResults(overwrite=True)
    return [fill_job(job, engine, shared.options, results) for job in jobs]


def _fill_tar(jobs: list[Job], engine: Engine, shared: _Round) -> list[FillOutcome]:
    output = shared.jobs.output
    place = within(output, tar_name([job.key for job in jobs]))
    if (rows := rows_of_tar(place)) is not None:
        return rows
    with open_tar(place) as archive:
        results = TarResults(archive, output)
        rows = [fill_job(job, engine, shared.options, results) for job in jobs]
        write_rows(rows, place)
    return rows


def _engine(options: FillOptions, threads: int) -> Engine:
    return load_model(options.model, options.device, seed=options.seed, threads=threads)
