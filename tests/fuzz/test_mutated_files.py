"""Mutated files of all formats through a fill: one line at worst, no half file, in bounded time.

A short run is part of every test run. The long one:

    pytest tests/fuzz --fuzz 10000 --fuzz-seed 1

Each child process fills many files under a limit of memory; its log says which file it was at, so
that a crash, a hang or a mistake of ours names the file, which is kept.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tests.fuzz.mutations import mutated, sources

_HANG = 20.0
_BATCH = 250


@pytest.mark.skipif(os.name == "nt", reason="limits of memory are POSIX's")
def test_mutated_files(request: pytest.FixtureRequest, tmp_path: Path) -> None:
    count = request.config.getoption("--fuzz")
    seed = request.config.getoption("--fuzz-seed")
    kinds = sorted(sources())
    done: dict[str, int] = {}
    for begin in range(0, count, _BATCH):
        numbers = range(begin, min(begin + _BATCH, count))
        folder = tmp_path / str(begin)
        folder.mkdir()
        for number in numbers:
            kind = kinds[number % len(kinds)]
            (folder / f"{number:06}.{kind}").write_bytes(mutated(kind, seed * 1_000_003 + number))
        for status, times in _fill(folder).items():
            done[status] = done.get(status, 0) + times
    assert sum(done.values()) == count
    assert done.get("filled", 0) > 0.05 * count, done  # else nothing was tried
    assert done.get("failed", 0) > 0.05 * count, done


def _fill(folder: Path) -> dict[str, int]:
    """Fill a folder's files in a child process, and judge what it logged."""
    log = folder / "log.jsonl"
    command = [sys.executable, "-m", "tests.fuzz.fill_them", str(folder), str(log)]
    with (folder / "stderr.txt").open("wb") as errors:
        process = subprocess.Popen(command, stdout=errors, stderr=errors)
        while process.poll() is None:
            time.sleep(0.2)
            if log.exists() and time.time() - log.stat().st_mtime > _HANG:
                process.kill()
                process.wait()
                pytest.fail(f"{_last(log)} hangs for more than {_HANG:g} s")
    told = (folder / "stderr.txt").read_text(errors="replace")
    assert process.returncode == 0, f"{_last(log)} ended the process: {told[-2000:]}"
    assert "Traceback" not in told, told[-2000:]
    statuses: dict[str, int] = {}
    for line in log.read_text().splitlines():
        row = json.loads(line)
        if "status" not in row:
            continue
        assert "\n" not in row["error"], row
        assert len(row["error"]) < 400, row
        assert row["left"] == [], row
        statuses[row["status"]] = statuses.get(row["status"], 0) + 1
    return statuses


def _last(log: Path) -> str:
    lines = log.read_text().splitlines() if log.exists() else []
    return lines[-1] if lines else "the first file"
