"""The work of an evaluation split among the actors of a Ray cluster."""

from __future__ import annotations

import os
import platform
from collections.abc import Callable
from dataclasses import dataclass

from regionwise.cluster.ray_map import RayCluster, map_on_ray
from regionwise.errors import OutputError
from regionwise.evaluation.plan import Plan
from regionwise.evaluation.settings import EvaluationSettings
from regionwise.evaluation.workers import ReportPictures, note_process
from regionwise.filling.shard import Shard

_PIECE = 32
"""Photos that an actor takes at a time."""


def run_on_ray(
    settings: EvaluationSettings, photos: int, cluster: RayCluster, progress: ReportPictures
) -> None:
    """Do all the work on a cluster; rows and features come into the folder, which all share.

    Args:
        settings: of the evaluation.
        photos: how many there are.
        cluster: where.
        progress: is told how many pictures were done.

    Raises:
        RegionwiseError: if there is no such cluster, or a machine of it can't do the work.
    """
    pieces = max(1, photos // _PIECE)
    shared = _Shared(settings, settings.plan(), pieces)  # which reads all masks once
    for _, done in map_on_ray(range(pieces), _open_work, shared, cluster):
        progress(done)


@dataclass(frozen=True)
class _Shared:
    settings: EvaluationSettings
    plan: Plan
    pieces: int


def _open_work(shared: _Shared) -> Callable[[int], int]:
    """Load the models in an actor."""
    if not shared.settings.folder.is_dir():
        raise OutputError(f"{shared.settings.folder} is not there; all machines write to it")
    evaluation = shared.settings.evaluation(shared.plan)
    done = evaluation.done()
    name = f"{platform.node()}-{os.getpid()}"

    def work(number: int) -> int:
        counts: list[int] = []
        evaluation.run(Shard(number + 1, shared.pieces), counts.append, done)
        note_process(evaluation, name)
        return sum(counts)

    return work
