"""The Region-wise generator: the literal formulation against ours, in one interleaved run.

    python benchmarks/region_wise.py --size 256 512 --repeats 5

The literal one follows the description of the released computation: maps are doubled by nearest
neighbour and then convolved, regions are parted and stacked as channels, one convolution does the
rest. It has the weights of ours, and its layout in memory is PyTorch's default. Times are medians.
Memory is the highest resident size of a process of its own for each, less that before the first
forward. "box" is a hole in the middle, of a quarter of the sides; "strokes" spreads over all.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from regionwise.layers.region_conv import RegionConv, resize_regions
from regionwise.layers.upsampling_conv import UpsamplingConv
from regionwise.models.registry import create_model


def doubled_and_convolved(x: Tensor, weight: Tensor, bias: Tensor, upsample: bool) -> Tensor:
    if upsample:
        x = F.interpolate(x, scale_factor=2, mode="nearest")
    return F.conv2d(F.pad(x, [weight.shape[-1] // 2] * 4, mode="reflect"), weight, bias)


class LiteralRegionConv(nn.Module):
    """Both readings with every filter everywhere."""

    def __init__(self, ours: RegionConv) -> None:
        super().__init__()
        self.ours = ours

    def forward(self, maps: Sequence[Tensor], regions: Tensor) -> Tensor:
        ours, (height, width) = self.ours, maps[0].shape[-2:]
        if ours.reading == "released":
            parts = resize_regions(regions, height, width).split(1, dim=1)
            x = torch.cat([map_ * part for map_, part in zip(maps, parts, strict=True)], dim=1)
            weight = torch.cat(list(ours.weights), dim=1)
            return doubled_and_convolved(x, weight, ours.bias, ours.upsample)
        scale = 2 if ours.upsample else 1
        parts = resize_regions(regions, scale * height, scale * width).split(1, dim=1)
        answers = (
            doubled_and_convolved(map_, weight, bias, ours.upsample) * part
            for map_, weight, bias, part in zip(maps, ours.weights, ours.bias, parts, strict=True)
        )
        return sum(answers, torch.zeros(()))


class LiteralUpsampling(nn.Module):
    """Doubles the map, then convolves it."""

    def __init__(self, ours: UpsamplingConv) -> None:
        super().__init__()
        self.ours = ours

    def forward(self, x: Tensor) -> Tensor:
        return doubled_and_convolved(x, self.ours.weight, self.ours.bias, upsample=True)


def network(name: str, reading: str) -> nn.Module:
    torch.manual_seed(0)
    ours = create_model("region-wise", reading=reading).eval()
    if name == "ours":
        return ours
    for parent in list(ours.modules()):
        for key, child in list(parent.named_children()):
            if isinstance(child, RegionConv):
                setattr(parent, key, LiteralRegionConv(child))
            elif isinstance(child, UpsamplingConv):
                setattr(parent, key, LiteralUpsampling(child))
    return ours.to(memory_format=torch.contiguous_format)


def inputs(size: int, hole: str, batch: int) -> tuple[Tensor, Tensor]:
    torch.manual_seed(0)
    mask = torch.zeros(batch, 1, size, size)
    quarter = size // 4
    if hole == "box":
        start = (size - quarter) // 2
        mask[..., start : start + quarter, start : start + quarter] = 1
    else:
        mask[..., 4 :: size // 8, :] = 1
        mask[..., 5 :: size // 8, :] = 1
    return torch.rand(batch, 3, size, size), mask


def forward(net: nn.Module, image: Tensor, mask: Tensor) -> Tensor:
    with torch.no_grad():
        answer: Tensor = net(image, mask).answer
    return answer


def train_step(net: nn.Module, image: Tensor, mask: Tensor) -> Tensor:
    net.zero_grad(set_to_none=True)
    loss = sum((stage - image).abs().mean() for stage in net(image, mask).stages)
    assert isinstance(loss, Tensor)
    loss.backward()
    return loss.detach()


Work = Callable[[nn.Module, Tensor, Tensor], Tensor]
WORK: dict[str, Work] = {"forward": forward, "training": train_step}


def resident() -> float:
    """Highest resident size of this process so far, in MB (Linux)."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


def memory(name: str, size: int, hole: str, options: argparse.Namespace) -> float:
    """Extra MB of one piece of work in a fresh process."""
    command = [sys.executable, __file__, f"--memory-of={name}", f"--size={size}", f"--hole={hole}"]
    command += [f"--work={options.work}", f"--reading={options.reading}"]
    command += [f"--batch={options.batch}", f"--threads={options.threads}"]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return float(done.stdout)


def compare(size: int, hole: str, options: argparse.Namespace) -> str:
    """One row of the table."""
    work = WORK[options.work]
    nets = {name: network(name, options.reading) for name in ("literal", "ours")}
    image, mask = inputs(size, hole, options.batch)
    if options.work == "training":
        for net in nets.values():
            net.train()
    answers = [work(net, image, mask) for net in nets.values()]
    times: dict[str, list[float]] = {name: [] for name in nets}
    for _ in range(options.repeats):
        for name, net in nets.items():
            start = time.perf_counter()
            work(net, image, mask)
            times[name].append(1000 * (time.perf_counter() - start))
    plain, ours = (statistics.median(times[name]) for name in nets)
    extra = [memory(name, size, hole, options) for name in nets]
    error = (answers[0] - answers[1]).abs().max().item()
    return (
        f"{size:>5} {hole:>8} {plain:>11.0f} {ours:>8.0f} {plain / ours:>6.2f}x "
        f"{extra[0]:>11.0f} {extra[1]:>8.0f} {error:>11.1e}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", type=int, nargs="+", default=[256])
    parser.add_argument("--hole", choices=("box", "strokes"), nargs="+", default=["strokes", "box"])
    parser.add_argument("--reading", choices=("released", "window"), default="released")
    parser.add_argument("--work", choices=WORK, default="forward")
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--memory-of", choices=("literal", "ours"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    if options.memory_of:
        net = network(options.memory_of, options.reading).train(options.work == "training")
        image, mask = inputs(options.size[0], options.hole[0], options.batch)
        before = resident()
        WORK[options.work](net, image, mask)
        print(resident() - before)
        return
    print(f"{options.work}, reading {options.reading}, batch {options.batch}")
    print(" size     hole  literal ms  ours ms    gain  literal MB  ours MB  difference")
    for size in options.size:
        for hole in options.hole:
            print(compare(size, hole, options), flush=True)


if __name__ == "__main__":
    main()
