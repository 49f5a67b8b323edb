"""Boards of others to which a training's numbers go as well: Weights & Biases, MLflow."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol

from regionwise.errors import ModelError
from regionwise.training.settings import TrainingSettings


class Board(Protocol):
    """Where numbers go."""

    def numbers(self, named: Mapping[str, float], step: int) -> None:
        """Show the numbers of a step."""
        ...

    def close(self) -> None:
        """End the run there."""
        ...


def boards_of(settings: TrainingSettings, recipe: Mapping[str, Any]) -> list[Board]:
    """The boards that were asked for, each with a run of the folder's name.

    Args:
        settings: of the training.
        recipe: as plain data.

    Raises:
        ModelError: if one is not installed.
    """
    boards: list[Board] = []
    if settings.wandb:
        boards.append(_WeightsAndBiases(settings.run, settings.wandb, recipe))
    if settings.mlflow:
        boards.append(_MLflow(settings.run, settings.mlflow, recipe))
    return boards


class _WeightsAndBiases:
    def __init__(self, run: Path, project: str, recipe: Mapping[str, Any]) -> None:
        self._run = _module("wandb").init(
            project=project, name=run.name, id=run.name, resume="allow", config=dict(recipe)
        )

    def numbers(self, named: Mapping[str, float], step: int) -> None:
        self._run.log(dict(named), step=step)

    def close(self) -> None:
        self._run.finish()


class _MLflow:
    """The server is the one of MLFLOW_TRACKING_URI, or a folder mlruns."""

    def __init__(self, run: Path, experiment: str, recipe: Mapping[str, Any]) -> None:
        self._module = _module("mlflow")
        self._module.set_experiment(experiment)
        note = run / "mlflow_run.txt"
        known = note.read_text(encoding="utf-8").strip() if note.exists() else None
        begun = self._module.start_run(run_id=known, run_name=run.name)
        if known is None:
            note.write_text(begun.info.run_id + "\n", encoding="utf-8")
            self._module.log_params({name: str(value)[:500] for name, value in _flat(recipe)})

    def numbers(self, named: Mapping[str, float], step: int) -> None:
        self._module.log_metrics(dict(named), step=step)

    def close(self) -> None:
        self._module.end_run()


def _flat(recipe: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """The values of a recipe by their keys, with points between them."""
    if isinstance(recipe, Mapping):
        for key, value in recipe.items():
            yield from _flat(value, f"{name}.{key}" if name else str(key))
    elif isinstance(recipe, list) and any(isinstance(value, Mapping) for value in recipe):
        for number, value in enumerate(recipe):
            yield from _flat(value, f"{name}.{number}")
    else:
        yield name, recipe


def _module(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise ModelError(f"--{name} needs the package: pip install {name}") from error
