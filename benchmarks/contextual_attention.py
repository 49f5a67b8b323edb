"""Contextual attention (DeepFill) against a literal formulation: time, memory, difference.

    python benchmarks/contextual_attention.py --size 256 512
    python benchmarks/contextual_attention.py --size 1024 --only ours

The literal one is what the paper describes: patches as filters of a convolution, two convolutions
of the whole matrix with an identity kernel, patches pasted by a transposed convolution. Times are
medians of one interleaved run; memory is what a fresh process holds at most beyond its inputs.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from statistics import median

import torch
import torch.nn.functional as F
from measure import peak_memory
from torch import Tensor

from regionwise.layers.contextual_attention import available_patches, contextual_attention

CHANNELS = 96


def literal(guide: Tensor, values: Tensor, available: Tensor) -> Tensor:
    """One picture."""
    channels, height, width = guide.shape[1:]
    count = height * width
    keys = F.unfold(guide, 3, padding=1)[0].T.reshape(count, channels, 3, 3)
    lengths = keys.square().sum(dim=(1, 2, 3), keepdim=True).sqrt().clamp(min=1e-4)
    scores = F.conv2d(guide, keys / lengths, padding=1).view(1, 1, count, count)
    identity = torch.eye(3).view(1, 1, 3, 3)
    for first, second in ((height, width), (width, height)):
        scores = F.conv2d(scores, identity, padding=1)
        scores = scores.view(first, second, first, second).permute(1, 0, 3, 2)
        scores = scores.reshape(1, 1, count, count)
    scores = scores.view(1, count, height, width)
    usable = available.view(1, count, 1, 1)
    weights = torch.softmax(scores * usable * 10, dim=1) * usable
    pasted = F.unfold(values, 4, stride=2, padding=1)[0].T.reshape(count, channels, 4, 4)
    return F.conv_transpose2d(weights, pasted, stride=2, padding=1) / 4


def inputs(size: int) -> tuple[Tensor, Tensor, Tensor]:
    """Features of a picture of this size, a third of it missing."""
    rng = torch.Generator().manual_seed(0)
    side = size // 4
    values = torch.randn(1, CHANNELS, side, side, generator=rng)
    mask = torch.zeros(1, 1, side // 2, side // 2)
    mask[..., side // 8 : 3 * side // 8, side // 8 : 3 * side // 8] = 1
    return values[..., ::2, ::2].contiguous(), values, available_patches(mask)


FORMS = {"literal": literal, "ours": contextual_attention}


def peak(form: str, size: int) -> float:
    command = [sys.executable, __file__, "--probe", form, "--size", str(size)]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def probe(form: str, size: int) -> None:
    tensors = inputs(size)
    with torch.no_grad():
        FORMS[form](*inputs(64))
        before = peak_memory()
        FORMS[form](*tensors)
    print(peak_memory() - before)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", type=int, nargs="+", default=[256, 512])
    parser.add_argument("--only", choices=FORMS)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--probe", choices=FORMS, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    if arguments.probe:
        probe(arguments.probe, arguments.size[0])
        return
    forms = [arguments.only] if arguments.only else list(FORMS)
    for size in arguments.size:
        tensors = inputs(size)
        times: dict[str, list[float]] = {form: [] for form in forms}
        answers = {}
        with torch.no_grad():
            for _ in range(arguments.repeats + 1):
                for form in forms:
                    started = time.perf_counter()
                    answers[form] = FORMS[form](*tensors)
                    times[form].append(time.perf_counter() - started)
        for form in forms:
            seconds = median(times[form][1:])
            print(f"| {size} | {form} | {seconds * 1000:.0f} ms | {peak(form, size):.0f} MB |")
        if len(forms) == 2:
            difference = (answers["literal"] - answers["ours"]).abs().max()
            print(f"largest difference at {size}: {difference:.1e}", flush=True)


if __name__ == "__main__":
    main()
