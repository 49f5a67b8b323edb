"""Print what MADF costs beside its literal formulation: time in one interleaved run, extra memory.

    python benchmarks/madf.py [--sizes 256 512] [--refinements 2] [--train] [--layers] [--repeats 3]

The literal formulation is written from the paper's equations: each window's filter is generated
and applied, scale and bias of the point-wise norm are two convolutions, and the last 1×1
convolution sees its features upsampled. It has our weights, and the answers are compared. For a
fill ours has its batch norms folded into the convolutions, as `regionwise fill` does. Memory is the
growth of the process's peak during the call (Linux only), measured in a process of its own.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from regionwise.layers.mask_aware_filter import MaskAwareFilter
from regionwise.layers.pointwise_norm import PointwiseNorm
from regionwise.models.madf.network import CascadedRefinementGenerator, RefinementDecoder


class LiteralFilter(nn.Module):
    """Section III-B word by word: Θ for all windows, then each window by its own filter."""

    def __init__(self, ours: MaskAwareFilter) -> None:
        super().__init__()
        self.mask_conv, self.padding, self.stride = ours.mask_conv, ours.padding, ours.stride
        features = ours.mask_conv.out_channels
        bases = ours.weight.detach().unflatten(0, (features + 1, -1))
        self.channels, self.kernel = bases.shape[1], bases.shape[-1]
        numbers = bases.permute(2, 3, 4, 1, 0).reshape(-1, features + 1)
        self.generate = nn.Conv2d(features, numbers.shape[0], 1)
        self.generate.weight = nn.Parameter(numbers[:, :-1, None, None].contiguous())
        self.generate.bias = nn.Parameter(numbers[:, -1].contiguous())

    def forward(self, x: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        # The first level's validity is in three channels.
        features = F.relu(self.mask_conv(mask.expand(-1, self.mask_conv.in_channels, -1, -1)))
        batch, _, height, width = features.shape
        theta = self.generate(features).flatten(2).transpose(1, 2)
        theta = theta.reshape(batch, height * width, -1, self.channels)
        windows = F.unfold(x, self.kernel, padding=self.padding, stride=self.stride)
        y = torch.matmul(windows.transpose(1, 2).unsqueeze(2), theta).squeeze(2)
        return y.transpose(1, 2).reshape(batch, self.channels, height, width), features


class LiteralNorm(nn.Module):
    """Equation (1): scale and bias each by a convolution of its own."""

    def __init__(self, ours: PointwiseNorm) -> None:
        super().__init__()
        self.norm, self.shared, hidden = ours.norm, ours.shared, ours.affine.in_channels
        channels = ours.affine.out_channels // 2
        self.scale, self.bias = (nn.Conv2d(hidden, channels, 3, padding=1) for _ in range(2))
        parts = (part.detach().chunk(2) for part in (ours.affine.weight, ours.affine.bias))
        for maps, name in zip(parts, ("weight", "bias"), strict=True):
            setattr(self.scale, name, nn.Parameter(maps[0].contiguous()))
            setattr(self.bias, name, nn.Parameter(maps[1].contiguous()))

    def forward(self, x: Tensor, condition: Tensor) -> Tensor:
        hidden = F.relu(self.shared(condition))
        return self.norm(x) * (1 + self.scale(hidden)) + self.bias(hidden)


class LiteralDecoder(nn.Module):
    """The last 1×1 convolution over everything at full size (Figure 4)."""

    def __init__(self, ours: RefinementDecoder) -> None:
        super().__init__()
        self.steps, self.last = ours.steps, ours.last
        for step in self.steps:
            step.norm = LiteralNorm(step.norm)
            step.forward = lambda x, condition, step=step: F.leaky_relu(
                step.norm(step.up(x), condition), 0.2
            )

    def forward(
        self, x: Tensor, previous: list[Tensor], pictures: list[Tensor], inputs: Tensor
    ) -> tuple[Tensor, list[Tensor]]:
        features = []
        for step, condition in zip(self.steps, previous, strict=True):
            x = step(x, condition)
            features.append(x)
        up = F.interpolate(x, scale_factor=2.0, mode="bilinear")
        return self.last(torch.cat([up, *pictures, inputs], dim=1)), features


def ours(refinements: int, *, train: bool = True) -> CascadedRefinementGenerator:
    torch.manual_seed(0)
    network = CascadedRefinementGenerator(refinements)
    return network if train else network.folded()


def literal(refinements: int, *, train: bool = True) -> CascadedRefinementGenerator:
    network = ours(refinements)
    network.encoder.levels = nn.ModuleList(map(LiteralFilter, network.encoder.levels))
    network.refinements = nn.ModuleList(map(LiteralDecoder, network.refinements))
    network = network.to(memory_format=torch.contiguous_format)
    plain = network.pictures
    network.pictures = lambda inputs, mask: plain(inputs.contiguous(), mask)
    return network


KINDS = {"literal": literal, "ours": ours}


def inputs(batch: int, size: int) -> tuple[Tensor, Tensor]:
    torch.manual_seed(1)
    mask = torch.zeros(batch, 1, size, size)
    mask[..., size // 4 : size // 2, size // 3 : 3 * size // 4] = 1
    return torch.rand(batch, 3, size, size), mask


def step(network: nn.Module, image: Tensor, mask: Tensor, train: bool) -> list[Tensor]:
    """One call: a picture filled, or forward and backward of a training step."""
    network.train(train)
    with torch.set_grad_enabled(train):
        stages: list[Tensor] = network(image, mask).stages
        if train:
            network.zero_grad(set_to_none=True)
            sum((stage - image).abs().mean() for stage in stages).backward()
    return stages


def interleaved(calls: list[Callable[[], object]], repeats: int) -> list[float]:
    """Median milliseconds of each, measured in turn after one uncounted round."""
    spent: list[list[float]] = [[] for _ in calls]
    for _ in range(repeats + 1):
        for times, call in zip(spent, calls, strict=True):
            started = time.perf_counter()
            call()
            times.append((time.perf_counter() - started) * 1e3)
    return [median(times[1:]) for times in spent]


def _peak() -> float:
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) * 1024 / 1e6


def extra_memory(kind: str, refinements: int, size: int, train: bool, threads: int) -> float:
    """MB (10^6 bytes) that one call needs beside network and input; run in a fresh process."""
    torch.set_num_threads(threads)
    network = KINDS[kind](refinements, train=train)
    image, mask = inputs(2 if train else 1, size)
    step(network, *inputs(1, 128), train=False)  # libraries load and warm up
    Path("/proc/self/clear_refs").write_text("5")
    before = _peak()
    step(network, image, mask, train)
    return _peak() - before


def in_fresh_process(*arguments: object) -> float:
    # Blocks from 256 KB on go back when freed. By default glibc keeps ever larger ones in its heap,
    # and the peak then counts the gaps between blocks of a training step, about 300 MB.
    os.environ["MALLOC_MMAP_THRESHOLD_"] = "262144"
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(extra_memory, arguments)


def print_network(options: argparse.Namespace) -> None:
    networks = {
        kind: build(options.refinements, train=options.train) for kind, build in KINDS.items()
    }
    for kind, network in networks.items():
        with FlopCounterMode(display=False) as counter, torch.no_grad():
            network.eval()(*inputs(1, 256))
        parameters = sum(p.numel() for p in network.parameters()) / 1e6
        print(
            f"{kind}: {parameters:.2f}M parameters, {counter.get_total_flops() / 2e9:.2f} G "
            "multiply-accumulates at 256×256"
        )
    print(
        "\n| size | call | literal, ms | ours, ms | gain | literal, extra MB | ours | share |"
        "\n|---|---|---|---|---|---|---|---|"
    )
    for size in options.sizes:
        image, mask = inputs(2 if options.train else 1, size)
        answers = [step(network, image, mask, options.train)[-1] for network in networks.values()]
        difference = (answers[0] - answers[1]).abs().max().item()
        calls = [
            partial(step, network, image, mask, options.train) for network in networks.values()
        ]
        slow, fast = interleaved(calls, options.repeats)
        memory = [""] * 3
        if options.memory:
            arguments = (options.refinements, size, options.train, options.threads)
            much, little = (in_fresh_process(kind, *arguments) for kind in KINDS)
            memory = [f"{much:.0f}", f"{little:.0f}", f"{little / much:.3f}"]
        call = "training step, batch 2" if options.train else "fill, batch 1"
        print(
            f"| {size} | {call} | {slow:.0f} | {fast:.0f} | {slow / fast:.1f}× | "
            + " | ".join(memory)
            + f" |   largest difference {difference:.1e}",
            flush=True,
        )


def layer_step(layer: nn.Module, x: Tensor, mask: Tensor, backward: bool) -> None:
    with torch.set_grad_enabled(backward):
        y, _ = layer(x.detach().requires_grad_(backward), mask)
        if backward:
            y.sum().backward()


def print_layers(options: argparse.Namespace) -> None:
    print(
        "| level, at 256×256 | literal, ms | ours, ms | gain "
        "| with backward: literal | ours | gain |\n|---|---|---|---|---|---|---|"
    )
    for level, layer in enumerate(ours(0).encoder.levels):
        size = 256 >> level
        x = torch.randn(1, layer.weight.shape[1], size, size)
        mask = torch.rand(1, 16 if level else 1, size, size)
        row = []
        plain, last = LiteralFilter(layer), x.contiguous(memory_format=torch.channels_last)
        for backward in (False, True):
            calls = [
                partial(layer_step, plain, x, mask, backward),
                partial(layer_step, layer, last, mask, backward),
            ]
            slow, fast = interleaved(calls, options.repeats)
            row.append(f"{slow:.1f} | {fast:.1f} | {slow / fast:.1f}×")
        print(f"| {level + 1} | " + " | ".join(row) + " |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sizes", type=int, nargs="+", default=[256])
    parser.add_argument("--refinements", type=int, default=2)
    parser.add_argument("--train", action="store_true", help="a training step of two pictures")
    parser.add_argument("--layers", action="store_true", help="the encoder's layers one by one")
    parser.add_argument("--no-memory", dest="memory", action="store_false")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    (print_layers if options.layers else print_network)(options)


if __name__ == "__main__":
    main()
