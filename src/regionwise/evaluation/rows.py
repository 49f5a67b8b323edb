"""Results on disk, a line each, so that work can stop, go on, and be split among processes.

Each process appends to a file of its own; whoever reads takes all files of the folder together. A
line that a crash tore is passed over, and its work done again.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Row:
    """One model on one photo under one hole.

    `set`: the table's row; `mask`: the hole's name; `metrics`: values by name, empty after an
    error; `seconds`: time of the model alone.
    """

    photo: str
    set: str
    mask: str
    model: str
    metrics: dict[str, float] = field(default_factory=dict)
    seconds: float = 0.0
    error: str = ""

    @property
    def key(self) -> tuple[str, str, str]:
        """What the row is about; the mask follows from it."""
        return self.photo, self.set, self.model


def append_row(file: Path, row: Row) -> None:
    """Write a row at the end of a file; a torn line before it is closed first."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("ab+") as stream:
        if stream.tell() > 0:
            stream.seek(-1, 2)
            if stream.read(1) != b"\n":
                stream.write(b"\n")
        stream.write(json.dumps(asdict(row)).encode() + b"\n")


def read_rows(folder: Path) -> list[Row]:
    """The rows of all files, sorted, each key once; torn lines are left out."""
    rows: dict[tuple[str, str, str], Row] = {}
    for file in sorted(folder.glob("*.jsonl")):
        for row in _rows_in(file):
            rows.setdefault(row.key, row)
    return [rows[key] for key in sorted(rows)]


def _rows_in(file: Path) -> Iterator[Row]:
    for line in file.read_bytes().splitlines():
        try:
            yield Row(**json.loads(line))
        except (ValueError, TypeError):
            continue
