"""A folder filled by several processes, each with an engine and its share of the processor."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import replace
from functools import partial

from regionwise.engines.engine import Engine
from regionwise.engines.onnx_engine import usable_processors
from regionwise.errors import RegionwiseError
from regionwise.filling.folder import failed, fill_job, skipped, try_engine
from regionwise.filling.folder_jobs import Job, Listing
from regionwise.filling.options import FillOptions
from regionwise.filling.outcome import FillOutcome
from regionwise.filling.results import FileResults

OpenEngine = Callable[[], Engine]
"""Opens an engine in the process that it is called in; pickles."""

_AHEAD = 2  # jobs a worker that wait for it, so that none is idle
_THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def threads_of(workers: int) -> int:
    """Threads for each of so many processes: together they are no more than the processors."""
    return max(1, usable_processors() // workers)


def fill_folder_in_processes(
    jobs: Iterable[Job],
    open_engine: OpenEngine,
    options: FillOptions,
    *,
    workers: int,
    overwrite: bool = False,
) -> Generator[FillOutcome, None, None]:
    """As `regionwise.filling.folder.fill_folder`, with several photos at once.

    Outcomes come as photos are done. A worker that is killed (a photo that needs more memory than
    there is) costs no other photo: those that were on their way are filled again one by one, and
    the one that ends its worker again has failed.

    Args:
        jobs: as `find_jobs` gives them.
        open_engine: opens a worker's engine, with `threads_of(workers)` threads.
        options: of the fill.
        workers: how many processes.
        overwrite: fill again what is there.

    Raises:
        ModelError: at once, if the model doesn't run here; likewise `CheckpointError`.
    """
    pool = _Pool(workers, partial(_start, open_engine, options, overwrite))
    listing = Listing()

    def ready(job: Job) -> Job | FillOutcome:
        """The job with its mask's own file, not all of the folder's; or what came of it already."""
        if not overwrite and listing.has_result(job):
            return skipped(job)
        try:
            return job.with_own_mask()
        except RegionwiseError as error:
            return failed(job, str(error))

    try:
        pool.check()
        waiting = iter(jobs)
        running: dict[Future[FillOutcome], Job] = {}
        exhausted = False
        while running or not exhausted:
            while not exhausted and len(running) < workers * _AHEAD:
                job = next(waiting, None)
                if job is None:
                    exhausted = True
                    break
                found = ready(job)
                if isinstance(found, FillOutcome):
                    yield found
                else:
                    running[pool.submit(found)] = found
            if not running:
                break
            done, _ = wait(running, return_when=FIRST_COMPLETED)
            broken = [future for future in done if _is_broken(future)]
            for future in done.difference(broken):
                del running[future]
                yield future.result()
            if broken:
                lost = list(running.values())
                running.clear()
                pool.restart()
                yield from _one_by_one(pool, lost, overwrite=overwrite)
    finally:
        pool.close()


def _is_broken(future: Future[FillOutcome]) -> bool:
    return isinstance(future.exception(), BrokenProcessPool)


def _one_by_one(pool: _Pool, jobs: list[Job], *, overwrite: bool) -> Iterator[FillOutcome]:
    """Fill what was on its way when a worker was killed, to find the photo that ends its worker."""
    listing = Listing()  # again: some of them may be done
    for job in jobs:
        if not overwrite and listing.has_result(job):
            yield replace(skipped(job), status="filled")
            continue
        try:
            yield pool.submit(job).result()
        except BrokenProcessPool:
            yield failed(job, "its process was killed, for lack of memory perhaps; scale it down")
            pool.restart()


class _Pool:
    """Processes, restarted when one of them was killed."""

    def __init__(self, workers: int, start: Callable[[], None]) -> None:
        self._workers = workers
        self._start = start
        self._pool = self._new()

    def _new(self) -> ProcessPoolExecutor:
        # Not forked: ONNX Runtime's threads don't survive that.
        context = multiprocessing.get_context("spawn")
        return ProcessPoolExecutor(self._workers, context, self._start)

    def check(self) -> None:
        """Find out whether the model runs in a worker.

        Raises:
            RegionwiseError: if it doesn't.
        """
        with _few_threads(self._workers):
            error = self._pool.submit(_trouble).result()
        if error is not None:
            raise error

    def submit(self, job: Job) -> Future[FillOutcome]:
        with _few_threads(self._workers):
            return self._pool.submit(_work, job)

    def restart(self) -> None:
        self._pool.shutdown(wait=True, cancel_futures=True)
        self._pool = self._new()

    def close(self) -> None:
        """Let the workers end what they are at, and nothing more."""
        self._pool.shutdown(wait=True, cancel_futures=True)


@contextmanager
def _few_threads(workers: int) -> Iterator[None]:
    """Tell processes that are started here how many threads libraries may use."""
    before = {name: os.environ.get(name) for name in _THREAD_VARIABLES}
    os.environ.update(dict.fromkeys(_THREAD_VARIABLES, str(threads_of(workers))))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


# What a worker holds.
_engine: Engine | None = None
_options = FillOptions()
_overwrite = False
_error: RegionwiseError | None = None


def _start(open_engine: OpenEngine, options: FillOptions, overwrite: bool) -> None:
    """Begin a worker. Ctrl-C is its parent's matter, and it doesn't outlive its parent."""
    global _engine, _options, _overwrite, _error
    threading.Thread(target=_end_with_parent, daemon=True).start()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    _options, _overwrite = options, overwrite
    try:
        _engine = open_engine()
        try_engine(_engine)
    except RegionwiseError as error:
        _error = error


def _end_with_parent() -> None:
    """A parent that was killed tells nobody, and its workers would wait forever."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _trouble() -> RegionwiseError | None:
    return _error


def _work(job: Job) -> FillOutcome:
    if _engine is None:
        return failed(job, str(_error))
    return fill_job(job, _engine, _options, FileResults(overwrite=_overwrite))
