"""What the benchmarks share: a child process timed, with the most memory that it held."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import NamedTuple


class Run(NamedTuple):
    """What a child process took.

    Attributes:
        seconds: by the clock.
        processor: seconds of the processor, which other programs lengthen but little.
        peak: the most memory that it held, in MB (10^6 bytes).
    """

    seconds: float
    processor: float
    peak: float


def run(arguments: Sequence[str]) -> Run:
    """Run `python ARGUMENTS`."""
    started = time.perf_counter()
    child = subprocess.Popen([sys.executable, *arguments], stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    seconds = time.perf_counter() - started
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise SystemExit(f"python {' '.join(arguments)} ended with {child.returncode}")
    return Run(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024 / 1e6)


def run_often(arguments: Sequence[str], times: int = 5) -> Run:
    """Median times and the highest peak of several runs, after one that is not counted."""
    run(arguments)
    seconds, processor, peaks = zip(*(run(arguments) for _ in range(times)), strict=True)
    return Run(median(seconds), median(processor), max(peaks))


def peak_memory() -> float:
    """MB (10^6 bytes) that this process held at most; not its parent, as `getrusage` may tell."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024 / 1e6
    raise SystemExit("the peak of memory can be read on Linux alone")
