"""Rows of outcomes on disk: JSON lines, or Parquet at the end where pyarrow is installed.

A row is a line, written at once when its photo is done: a process that is killed loses at most the
line that it was writing, and the next run goes on behind it. Of several rows of a key the last
counts.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType
from typing import Any

from regionwise.errors import OutputError
from regionwise.filling.outcome import FillOutcome
from regionwise.filling.shard import Shard
from regionwise.output import whole_file
from regionwise.photos.stored_files import is_address

_BATCH = 10_000


class OutcomeFile:
    """A file that outcomes are added to; closing it makes Parquet of them if its name says so.

    `done`: the photos of all its rows whose last one is not a failure.
    """

    def __init__(self, path: Path, shard: Shard | None = None) -> None:
        """Open it, behind what an earlier run wrote.

        Args:
            path: ends in .jsonl or .parquet.
            shard: has a file of its own: out.jsonl becomes out.2-of-8.jsonl.

        Raises:
            OutputError: if it can't be written, or is Parquet and pyarrow is not installed.
        """
        if is_address(path):
            raise OutputError(f"{path} is an address; rows are added to a file of this computer")
        if path.suffix not in (".jsonl", ".parquet"):
            raise OutputError(f"{path} is not a file of outcomes; give one that ends in .jsonl")
        if path.suffix == ".parquet" and find_spec("pyarrow") is None:
            raise OutputError(f"{path} needs pyarrow: pip install pyarrow, or give a .jsonl")
        if shard is not None:
            path = path.with_suffix(f".{shard}{path.suffix}")
        self.path = path
        self._lines = path if path.suffix == ".jsonl" else path.with_name(f"{path.name}.jsonl")
        self._keys: set[str] = set()
        self.done: set[str] = set()
        for file in (self.path, self._lines):
            for row in read_outcomes(file):
                self._note(str(row.get("key")), str(row.get("status")))
        try:
            self._lines.parent.mkdir(parents=True, exist_ok=True)
            self._file = open(self._lines, "ab+")  # noqa: SIM115 - closed by close()
            _end_torn_line(self._file)
        except OSError as error:
            raise OutputError(
                f"{self._lines} can't be written ({error.strerror or error}); write elsewhere"
            ) from error

    def add(self, outcome: FillOutcome) -> None:
        """Write a row; a skipped photo that has one already gets no other."""
        if outcome.status == "skipped" and outcome.key in self._keys:
            return
        self._note(outcome.key, outcome.status)
        self._file.write(json.dumps(outcome.as_row(), ensure_ascii=False).encode() + b"\n")
        self._file.flush()

    def _note(self, key: str, status: str) -> None:
        self._keys.add(key)
        (self.done.discard if status == "failed" else self.done.add)(key)

    def close(self) -> None:
        """End the file."""
        self._file.close()
        if self.path != self._lines:
            _write_parquet(self.path, self._lines)

    def __enter__(self) -> OutcomeFile:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def _end_torn_line(file: Any) -> None:
    """Let a line that a killed process left unfinished stand alone."""
    if file.seek(0, 2):
        file.seek(-1, 2)
        if file.read(1) != b"\n":
            file.write(b"\n")
    file.seek(0, 2)


def read_outcomes(path: Path) -> Iterator[dict[str, Any]]:
    """The rows of a file, in their order; none of a file that is not there. Torn lines are no rows.

    Raises:
        OutputError: if it can't be read.
    """
    if not path.exists():
        return
    if path.suffix == ".parquet":
        yield from _read_parquet(path)
        return
    with path.open("rb") as file:
        for line in file:
            try:
                row = json.loads(line)
            except ValueError:
                continue
            if isinstance(row, dict):
                yield row


def _read_parquet(path: Path) -> Iterator[dict[str, Any]]:
    import pyarrow.parquet

    try:
        with pyarrow.parquet.ParquetFile(path) as file:
            for batch in file.iter_batches(_BATCH):
                yield from batch.to_pylist()
    except (OSError, pyarrow.ArrowException) as error:
        raise OutputError(f"{path} is not a readable Parquet file ({error})") from error


def _write_parquet(path: Path, lines: Path) -> None:
    """Rows of an earlier Parquet and of the lines, the last of each key; then the lines go."""
    import pyarrow
    import pyarrow.parquet

    rows = {str(row.get("key")): row for row in read_outcomes(path)}
    rows |= {str(row.get("key")): row for row in read_outcomes(lines)}
    if rows:
        with whole_file(path) as file:
            pyarrow.parquet.write_table(pyarrow.Table.from_pylist(list(rows.values())), file)
    lines.unlink()
