"""Numbered pieces of work on a Ray cluster: Ray Data moves them, an actor holds what is costly.

Ray Data brings back-pressure, a pool of actors that grows and shrinks, and the retries of what was
lost with a machine. A piece may then be done twice; what it writes must be the same each time.
"""

from __future__ import annotations

import logging
import os
import pickle
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any, TypeVar

from regionwise.errors import RegionwiseError

Shared = TypeVar("Shared")
Work = Callable[[int], Any]
"""Does the piece of that number; the answer pickles."""

_BEGINNINGS = 3
"""Of a piece, before it is given up: a machine may end in the midst of it, but not each time."""
_BLOCKS = 20_000
"""So many bundles of pieces at most: each costs the driver a millisecond, and memory."""
_GIVEN_UP = "\0given up"


@dataclass(frozen=True)
class RayCluster:
    """Which cluster, and what of it one worker takes.

    Attributes:
        address: of the head, or auto; by default RAY_ADDRESS's, or else one begun on this machine.
        workers: so many actors; by default as many as the cluster has room for.
        processors: of a worker; fractions are shares.
        gpus: likewise.
    """

    address: str | None = None
    workers: int | None = None
    processors: float = 1
    gpus: float = 0


def parse_cluster(text: str, *, workers: int | None = None, gpus: float = 0) -> RayCluster:
    """Read "ray" or "ray:ADDRESS".

    Raises:
        RegionwiseError: if it is anything else, or Ray is not installed.
    """
    engine, colon, address = text.partition(":")
    if engine != "ray" or (colon and not address):
        raise RegionwiseError(f"there is no cluster engine {text!r}; give ray, or ray:ADDRESS")
    if find_spec("ray") is None or find_spec("pyarrow") is None:
        raise RegionwiseError('Ray is not installed; pip install "regionwise[ray]"')
    return RayCluster(address or None, workers, gpus=gpus)


class UnusableWorkerError(RegionwiseError):
    """A machine of the cluster can't do the work: it lacks a file, a model, or a library."""


def map_on_ray(
    numbers: Sequence[int],
    open_work: Callable[[Shared], Work],
    shared: Shared,
    cluster: RayCluster,
) -> Iterator[tuple[int, Any]]:
    """Do pieces of work; answers come as they are done, in no order.

    Args:
        numbers: of the pieces.
        open_work: is called once in each actor; pickles.
        shared: what it is called with. Is sent to each machine once; its arrays are not copied.
        cluster: where.

    Yields:
        Number and answer. A piece whose actor died with it time and again gets no answer.

    Raises:
        UnusableWorkerError: what `open_work` said, where it raised a `RegionwiseError`.
        RegionwiseError: if the cluster can't be had.
    """
    import pyarrow
    import ray

    with _Connection(cluster) as processors:
        most = cluster.workers or max(1, int(processors / max(cluster.processors, 0.01)))
        most = max(1, min(most, len(numbers)))
        size = -(-len(numbers) // _BLOCKS)
        blocks = [
            pyarrow.table({"number": list(numbers[start : start + size])})
            for start in range(0, len(numbers), max(size, 1))
        ]
        answers = ray.data.from_arrow(blocks).map_batches(
            _Actor,
            batch_size=None,
            batch_format="pyarrow",
            fn_constructor_args=(open_work, ray.put(shared), _beginnings(), os.getcwd()),
            compute=ray.data.ActorPoolStrategy(
                min_size=most if cluster.workers else 1,
                max_size=most,
                max_tasks_in_flight_per_actor=2,
            ),
            num_cpus=cluster.processors,
            num_gpus=cluster.gpus,
        )
        _be_silent()  # anew: to make a data set sets it up
        for batch in answers.iter_batches(batch_size=None, batch_format="pyarrow"):
            for number, answer in zip(*batch.to_pydict().values(), strict=True):
                said = pickle.loads(answer)
                if isinstance(said, UnusableWorkerError):
                    raise said
                if said != _GIVEN_UP:
                    yield number, said


def _be_silent() -> None:
    """Pieces that were lost are the caller's matter, and their tracebacks nobody's."""
    for logger in ("ray.data", "ray"):
        logging.getLogger(logger).setLevel(logging.CRITICAL)


class _Beginnings:
    """How often each piece was begun, by actors that may end before they could tell."""

    def __init__(self) -> None:
        self._counts: Counter[int] = Counter()

    def count(self, number: int) -> int:
        """Count one more beginning of a piece."""
        self._counts[number] += 1
        return self._counts[number]


def _beginnings() -> Any:
    """The counter, in a process on this machine: it lives as long as this one."""
    import ray
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    here = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=False)
    return ray.remote(_Beginnings).options(num_cpus=0, scheduling_strategy=here).remote()


class _Actor:
    """Holds what a worker opened, and does one piece after another."""

    def __init__(
        self, open_work: Callable[[Any], Work], shared: Any, beginnings: Any, home: str
    ) -> None:
        import ray

        if os.path.isdir(home):  # so that paths mean the same here
            os.chdir(home)
        self._beginnings = beginnings
        self._work: Work | None = None
        self._error: UnusableWorkerError | None = None
        try:
            self._work = open_work(ray.get(shared))
        except RegionwiseError as error:
            # Raised here it would be tried again for ever.
            node = ray.util.get_node_ip_address()
            self._error = UnusableWorkerError(f"the worker on {node} can't begin: {error}")

    def __call__(self, batch: Any) -> Iterator[Any]:
        import pyarrow

        for number in batch["number"].to_pylist():
            yield pyarrow.table({"number": [number], "answer": [pickle.dumps(self._said(number))]})

    def _said(self, number: int) -> Any:
        import ray

        if self._work is None:
            return self._error
        if ray.get(self._beginnings.count.remote(number)) > _BEGINNINGS:
            return _GIVEN_UP
        return self._work(number)


class _Connection:
    """A connection to a cluster: one that is there already stays, one that is made here ends."""

    def __init__(self, cluster: RayCluster) -> None:
        self._cluster = cluster
        self._mine = False

    def __enter__(self) -> float:
        """How many processors the cluster has now."""
        import ray

        if not ray.is_initialized():
            self._mine = True
            self._connect()
        _be_silent()
        context = ray.data.DataContext.get_current()
        context.enable_progress_bars = False
        context.print_on_execution_start = False
        context.max_errored_blocks = -1
        return float(ray.cluster_resources().get("CPU", 1))

    def _connect(self) -> None:
        import ray

        from_here = self._cluster.address is None and not os.environ.get("RAY_ADDRESS")
        options: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.CRITICAL}
        if from_here:
            options["include_dashboard"] = False
            if self._cluster.workers:
                share = max(self._cluster.processors, 0.01)
                options["num_cpus"] = max(1, round(self._cluster.workers * share))
        try:
            ray.init(address="local" if from_here else self._cluster.address, **options)
        except Exception as error:  # Ray has many
            said = " ".join(str(error).split())[:160]
            raise RegionwiseError(
                f"there is no Ray cluster at {self._cluster.address or 'this machine'} ({said})"
            ) from error

    def __exit__(self, *_: object) -> None:
        import ray

        if self._mine:
            ray.shutdown()
