"""The correlation loss with both n×n matrices against ours, forward and backward.

    python benchmarks/correlation_loss.py --side 56 64 --changed 1 0.3 --repeats 5

The literal loss is written from equations (2) and (4) of the paper. All run in turns in one process
on random features; times are medians. Memory is the highest resident size of a process of its own
for each, less that before the loss. n = side²: 56 is pool2 of a picture of 224 pixels.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor

from regionwise.losses.correlation import correlation

Loss = Callable[[Tensor, Tensor], Tensor]


def literal(answer: Tensor, truth: Tensor) -> Tensor:
    """Both matrices of all pairs."""
    a, b = answer.flatten(2), truth.flatten(2)
    return (a.transpose(1, 2) @ a - b.transpose(1, 2) @ b).abs().sum() / answer.shape[1] ** 2


LOSSES: dict[str, Loss] = {"literal": literal, "ours": correlation}


def features(channels: int, side: int, changed: float) -> tuple[Tensor, Tensor]:
    """Truth of rectified normal numbers; the answer differs in that share of the rows."""
    torch.manual_seed(0)
    truth = torch.randn(1, channels, side, side).relu_()
    answer = truth.clone()
    rows = round(side * changed)
    answer[:, :, :rows] = torch.randn(1, channels, rows, side).relu_()
    return answer.requires_grad_(), truth


def step(loss: Loss, answer: Tensor, truth: Tensor) -> float:
    """Seconds of one forward and backward."""
    answer.grad = None
    start = time.perf_counter()
    loss(answer, truth).backward()
    return time.perf_counter() - start


def resident() -> float:
    """Highest resident size of this process so far, in MB (Linux)."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


def memory(name: str, channels: int, side: int, changed: float, threads: int) -> float:
    """Extra MB of one step in a fresh process."""
    options = [f"--channels={channels}", f"--side={side}", f"--changed={changed}"]
    command = [sys.executable, __file__, "--memory-of", name, f"--threads={threads}", *options]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--side", type=int, nargs="+", default=[56, 64])
    parser.add_argument("--channels", type=int, default=128)
    parser.add_argument("--changed", type=float, nargs="+", default=[1.0, 0.3])
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--memory-of", choices=LOSSES, help=argparse.SUPPRESS)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    if options.memory_of:
        answer, truth = features(options.channels, options.side[0], options.changed[0])
        small = features(options.channels, 8, 1.0)
        step(LOSSES[options.memory_of], *small)
        before = resident()
        step(LOSSES[options.memory_of], answer, truth)
        print(resident() - before)
        return
    print(" n       changed  literal ms  ours ms   gain  literal MB  ours MB")
    for side in options.side:
        for changed in options.changed:
            answer, truth = features(options.channels, side, changed)
            times: dict[str, list[float]] = {name: [] for name in LOSSES}
            for repeat in range(options.repeats + 1):
                for name, loss in LOSSES.items():
                    seconds = step(loss, answer, truth)
                    if repeat or options.repeats == 1:
                        times[name].append(1000 * seconds)
            plain, ours = (statistics.median(times[name]) for name in LOSSES)
            extra = [
                memory(name, options.channels, side, changed, options.threads) for name in LOSSES
            ]
            print(
                f"{side * side:<6} {changed:>8.0%} {plain:>11.1f} {ours:>8.1f} "
                f"{plain / ours:>5.1f}x {extra[0]:>11.0f} {extra[1]:>8.0f}",
                flush=True,
            )


if __name__ == "__main__":
    main()
