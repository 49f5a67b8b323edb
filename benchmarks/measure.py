"""What the benchmarks share: a child process timed, with the most memory that it held."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median


def run(arguments: Sequence[str]) -> tuple[float, float]:
    """Run `python ARGUMENTS` and give its seconds and its peak memory in MB (10^6 bytes)."""
    started = time.perf_counter()
    child = subprocess.Popen([sys.executable, *arguments], stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    seconds = time.perf_counter() - started
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise SystemExit(f"python {' '.join(arguments)} ended with {child.returncode}")
    return seconds, usage.ru_maxrss * 1024 / 1e6


def run_often(arguments: Sequence[str], times: int = 5) -> tuple[float, float]:
    """The median seconds and the highest peak of several runs, after one that is not counted."""
    run(arguments)
    seconds, peaks = zip(*(run(arguments) for _ in range(times)), strict=True)
    return median(seconds), max(peaks)


def peak_memory() -> float:
    """MB (10^6 bytes) that this process held at most; not its parent, as `getrusage` may tell."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024 / 1e6
    raise SystemExit("the peak of memory can be read on Linux alone")
