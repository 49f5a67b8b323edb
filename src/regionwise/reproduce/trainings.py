"""The trainings of a table: a process each, several at a time, gone on with where they stopped."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from regionwise.errors import DataError
from regionwise.output import write_whole
from regionwise.recipe import Recipe, to_yaml


@dataclass(frozen=True)
class RowTraining:
    """One row with one seed.

    Attributes:
        row: its name.
        seed: of the training.
        recipe: with all its values.
        folder: of the table.
    """

    row: str
    seed: int
    recipe: Recipe
    folder: Path

    @property
    def run(self) -> Path:
        """The folder of the run."""
        name = re.sub(r"[^\w.+-]+", "_", self.row).strip("_")
        return self.folder / "runs" / f"{name}-seed{self.seed}"

    @property
    def model(self) -> Path:
        """The weights that are evaluated."""
        return self.run / "last.pt"

    @property
    def is_done(self) -> bool:
        """Whether it went to its end."""
        return (self.run / "done").exists()


def train_all(trainings: Sequence[RowTraining], arguments: Sequence[str], processes: int) -> None:
    """Train what is not done yet.

    Args:
        trainings: in the order in which they are begun.
        arguments: of `regionwise train` for all of them: photos, workers and so on.
        processes: how many at a time.

    Raises:
        DataError: if one of them fails; its last line.
        OutputError: if a recipe can't be written.
    """
    left = [training for training in trainings if not training.is_done]
    with ThreadPoolExecutor(processes) as pool:
        for failure in pool.map(lambda training: _train(training, arguments), left):
            if failure:
                raise DataError(failure)


def _train(training: RowTraining, arguments: Sequence[str]) -> str:
    """Train one; gives what went wrong."""
    run = training.run
    run.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "regionwise", "train"]
    if (run / "last.pt").exists():
        command += ["--resume", str(run)]
    else:
        recipe = run / "recipe.yaml"
        write_whole(to_yaml(training.recipe).encode(), recipe, overwrite=True)
        command += [str(recipe), "--output", str(run), *arguments]
    with (run / "log.txt").open("ab") as log:
        code = subprocess.run(command, stdout=log, stderr=log, check=False).returncode
    if code == 0:
        write_whole(b"", run / "done", overwrite=True)
        return ""
    lines = (run / "log.txt").read_text(encoding="utf-8", errors="replace").splitlines()
    return f"{training.row}, seed {training.seed}: {lines[-1] if lines else 'it said nothing'}"
