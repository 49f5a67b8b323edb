"""Which checkpoints of a run stay beside `last.pt` and `best.pt`."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from regionwise.errors import OutputError
from regionwise.output import write_whole

Write = Callable[[str, dict[str, Any]], None]
"""Writes a file of the run, by its name."""

_NAME = "kept.json"


class BestCheckpoints:
    """The best few validations of a run, each in a file of its own: `best-0012000.pt`.

    Args:
        run: folder of the run; what an earlier process kept there goes on.
        count: how many stay; 1 leaves but `best.pt`, which is not one of these.
        done: with so many steps the training goes on; what was kept after them is forgotten.
    """

    def __init__(self, run: Path, count: int, done: int) -> None:
        self._run, self._count = run, count
        self._scores = {step: score for step, score in _read(run / _NAME).items() if step <= done}

    def offer(self, step: int, score: float, content: dict[str, Any], write: Write) -> None:
        """Keep a validation if it is one of the best; higher scores are better.

        Args:
            step: after which it was made.
            score: of it.
            content: of its file.
            write: of the run.
        """
        if self._count < 2:
            return
        self._scores[step] = score
        ranked = sorted(self._scores, key=lambda one: (-self._scores[one], one))
        if step in ranked[: self._count]:
            write(_file(step), content)
        for other in ranked[self._count :]:
            del self._scores[other]
            (self._run / _file(other)).unlink(missing_ok=True)
        try:
            write_whole(json.dumps(self._scores) + "\n", self._run / _NAME, overwrite=True)
        except OutputError:  # a full disk must not end the training
            return


def step_file(step: int) -> str:
    """The name of the state that is kept after a step, whatever comes."""
    return f"step-{step:07d}.pt"


def _file(step: int) -> str:
    return f"best-{step:07d}.pt"


def _read(file: Path) -> dict[int, float]:
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
        return {int(step): float(score) for step, score in content.items()}
    except (OSError, ValueError, AttributeError):
        return {}
