"""The work of an evaluation split among processes of one machine."""

from __future__ import annotations

import json
import multiprocessing
import platform
import resource
import sys
from collections.abc import Callable
from concurrent.futures import Future, ProcessPoolExecutor, wait
from queue import Empty
from typing import Any

from regionwise.evaluation.plan import Plan
from regionwise.evaluation.run import Evaluation
from regionwise.evaluation.settings import EvaluationSettings
from regionwise.filling.shard import Shard
from regionwise.output import write_whole

ReportPictures = Callable[[int], None]


def run_here(evaluation: Evaluation, shard: Shard, progress: ReportPictures) -> None:
    """Do a shard in this process, and note what the process took."""
    evaluation.run(shard, progress)
    note_process(evaluation, str(shard))


def run_in_workers(settings: EvaluationSettings, workers: int, progress: ReportPictures) -> None:
    """Do all the work in several processes, each with models of its own.

    Raises:
        RegionwiseError: whatever stopped a worker as a whole.
    """
    context = multiprocessing.get_context("spawn")
    plan = settings.plan()  # which reads all masks once
    with (
        context.Manager() as manager,
        ProcessPoolExecutor(workers, mp_context=context) as pool,
    ):
        counts = manager.Queue()
        jobs: set[Future[None]] = {
            pool.submit(_work, settings, plan, Shard(number, workers), counts)
            for number in range(1, workers + 1)
        }
        waiting = jobs
        while waiting:
            waiting = wait(waiting, timeout=0.2).not_done
            try:
                while True:
                    progress(counts.get_nowait())
            except Empty:
                pass
        for job in jobs:
            job.result()


def note_process(evaluation: Evaluation, name: str) -> None:
    """Write down the machine and the most memory that the process had, beside the results."""
    unit = 1 if sys.platform == "darwin" else 1024
    note: dict[str, Any] = {
        "peak_memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit // 2**20,
        "machine": platform.machine(),
        "processor": _processor(),
        "system": platform.platform(),
    }
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_available():
        note["gpu"] = torch.cuda.get_device_name()
        note["peak_gpu_memory_mb"] = torch.cuda.max_memory_allocated() // 2**20
    file = evaluation.folder / "processes" / f"{name}.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    write_whole(json.dumps(note, indent=1) + "\n", file, overwrite=True)


def _work(settings: EvaluationSettings, plan: Plan, shard: Shard, counts: Any) -> None:
    evaluation = settings.evaluation(plan)
    run_here(evaluation, shard, counts.put)


def _processor() -> str:
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as stream:
            names = [line.partition(":")[2].strip() for line in stream if "model name" in line]
        return f"{names[0]} ×{len(names)}" if names else platform.processor()
    except OSError:
        return platform.processor()
