"""Where and how a training runs: what does not change its result, so no part of the recipe."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from lightning_fabric import Fabric
from lightning_fabric.strategies.ddp import DDPStrategy

from regionwise.errors import DataError

_PRECISIONS: dict[str, Any] = {"fp32": "32-true", "bf16": "bf16-mixed", "fp16": "16-mixed"}


@dataclass(frozen=True)
class TrainingSettings:
    """See the command's help for what they do.

    Attributes:
        run: folder of the run.
        workers: processes of each training process that read photos and draw holes.
        accelerator: "auto", "cpu", "cuda", "mps".
        devices: training processes on each node; ignored where torchrun or SLURM says how many.
        nodes: machines; likewise.
        checkpoint_minutes: at least so often `last.pt` is written.
        checkpoint_steps: and so often, if given.
        preview_steps: how often previews are made, and the terms' shares of the gradient measured.
        log_steps: how often losses are read; 1 on a CPU, 10 elsewhere, if not given.
        minutes: after which the training stops, to be resumed.
        feature_files: weights of feature networks: "vgg", "darknet".
        keep_best: of so many of the best validations the averaged weights stay.
        keep_steps: after each so many steps the state stays, as `step-0010000.pt`.
        lpips: measure LPIPS at validations, as `evaluate --lpips` does: alex, vgg, or with :FOLDER.
        wandb: project of Weights & Biases to which numbers go as well.
        mlflow: experiment of MLflow, likewise.
    """

    run: Path
    workers: int = 2
    accelerator: str = "auto"
    devices: int = 1
    nodes: int = 1
    compile: bool = False
    checkpoint_gradients: bool = False
    checkpoint_minutes: float = 10.0
    checkpoint_steps: int | None = None
    preview_steps: int = 1000
    log_steps: int | None = None
    minutes: float | None = None
    feature_files: Mapping[str, Path] = field(default_factory=dict)
    keep_best: int = 1
    keep_steps: int | None = None
    lpips: str | None = None
    wandb: str | None = None
    mlflow: str | None = None


def make_fabric(
    settings: TrainingSettings,
    precision: Literal["fp32", "bf16", "fp16"],
    *,
    unused_parameters: bool,
) -> Fabric:
    """Lightning Fabric for these settings, or for what torchrun or SLURM have set up.

    Raises:
        DataError: if SLURM's nodes have different numbers of tasks.
    """
    devices, nodes = process_layout(settings)
    if int(os.environ.get("SLURM_NTASKS", "1")) > 1:  # Fabric wants to be told both
        os.environ.setdefault("SLURM_NTASKS_PER_NODE", str(devices))
    strategy: Any = "auto"
    if devices * nodes > 1:
        strategy = DDPStrategy(broadcast_buffers=False, find_unused_parameters=unused_parameters)
    return Fabric(
        accelerator=settings.accelerator,
        devices=devices,
        num_nodes=nodes,
        strategy=strategy,
        precision=_PRECISIONS[precision],
    )


def is_first_process() -> bool:
    """Whether this is the only or the first one of several training processes."""
    names = ("RANK", "SLURM_PROCID", "LOCAL_RANK")
    return all(os.environ.get(name, "0") == "0" for name in names)


def is_begun_anew() -> bool:
    """Whether torchrun or SLURM have begun this process again after some process was lost."""
    names = ("TORCHELASTIC_RESTART_COUNT", "SLURM_RESTART_COUNT")
    return any(os.environ.get(name, "0") not in ("", "0") for name in names)


def process_layout(settings: TrainingSettings) -> tuple[int, int]:
    """Training processes on each node, and nodes.

    Raises:
        DataError: if SLURM's nodes have different numbers of tasks.
    """
    environment = os.environ
    if "LOCAL_WORLD_SIZE" in environment:
        local = int(environment["LOCAL_WORLD_SIZE"])
        return local, max(int(environment["WORLD_SIZE"]) // local, 1)
    if "SLURM_NTASKS_PER_NODE" in environment:
        return int(environment["SLURM_NTASKS_PER_NODE"]), int(environment["SLURM_NNODES"])
    if int(environment.get("SLURM_NTASKS", "1")) > 1:
        tasks = _tasks_on_each_node(environment["SLURM_TASKS_PER_NODE"])
        return tasks, int(environment["SLURM_NNODES"])
    return settings.devices, settings.nodes


def _tasks_on_each_node(told: str) -> int:
    """From SLURM's own words, such as "4(x2)" or "2,1"."""
    counts = {int(count) for count in re.sub(r"\(x\d+\)", "", told).split(",")}
    if len(counts) > 1:
        raise DataError(
            f"SLURM's nodes have different numbers of tasks ({told}); give --ntasks-per-node"
        )
    return counts.pop()
