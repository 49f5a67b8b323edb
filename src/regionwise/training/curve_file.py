"""The learning curve as a table: what was reached after how much work."""

from __future__ import annotations

import csv
import os
from collections.abc import Mapping
from pathlib import Path

_NAMES = ("step", "pictures", "cpu_seconds")


class CurveFile:
    """`curve.csv` of a run: a row for each validation.

    Processor time, not the clock's: a machine that is shared makes a clock lie. It is that of this
    process and its ended children; readers of photos count with `workers=0` alone.

    Args:
        file: to add to; rows after `step` are forgotten.
        step: with which the training goes on.
        seconds: spent before.
    """

    def __init__(self, file: Path, step: int, seconds: float = 0.0) -> None:
        self._file = file
        self._rows: list[dict[str, str]] = []
        if step and file.exists():
            with file.open(newline="", encoding="utf-8") as stream:
                self._rows = [row for row in csv.DictReader(stream) if int(row["step"]) <= step]
        self._before = seconds - _cpu_seconds()

    @property
    def seconds(self) -> float:
        """Processor time that the training has taken so far."""
        return self._before + _cpu_seconds()

    def add(self, step: int, pictures: int, scores: Mapping[str, float]) -> None:
        """Write a row, and with it the whole file.

        Raises:
            OSError: if it can't be written.
        """
        numbers = (str(step), str(pictures), f"{self.seconds:.0f}")
        row = dict(zip(_NAMES, numbers, strict=True))
        self._rows.append(row | {name: f"{value:.5g}" for name, value in scores.items()})
        with self._file.open("w", newline="", encoding="utf-8") as stream:
            names = dict.fromkeys(name for row in self._rows for name in row)
            writer = csv.DictWriter(stream, list(names))
            writer.writeheader()
            writer.writerows(self._rows)


def _cpu_seconds() -> float:
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system
