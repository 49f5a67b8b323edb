"""DeepGIN: the literal formulation against ours, in one interleaved run.

    python benchmarks/deepgin.py --size 256 512 --repeats 5
    python benchmarks/deepgin.py --size 256 --batch 2 --training
    python benchmarks/deepgin.py --rows          # what each row of the paper's Table 1 costs

The literal one is written here from the paper: planes one after the other (NCHW), every border
padded by an operation of its own, attention as a matrix of positions × positions. It has the
weights of ours. Times are medians: of the clock, or with --threads 1 of the processor, which other
programs do not lengthen. Memory is the highest resident size of a process of its own for each,
less that before the first run.
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
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from regionwise.layers.pyramid_dilation import PyramidDilationBlock
from regionwise.layers.self_attention import SelfAttention
from regionwise.models.deepgin.card import TABLE_1
from regionwise.models.deepgin.network import DeepGinGenerator


def _conv(convolution: nn.Module, x: Tensor) -> Tensor:
    assert isinstance(convolution, nn.Conv2d)
    rate, stride = convolution.dilation[0], convolution.stride[0]
    edge = rate * (convolution.kernel_size[0] - 1) // 2
    padded = nn.ReplicationPad2d(edge)(x)
    return F.conv2d(padded, convolution.weight, convolution.bias, stride=stride, dilation=rate)


def _leaky(x: Tensor) -> Tensor:
    return F.leaky_relu(x, 0.2)


def _doubled(x: Tensor) -> Tensor:
    return F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=True)


def _resized(x: Tensor, like: Tensor) -> Tensor:
    return F.interpolate(x, size=like.shape[-2:], mode="bilinear", align_corners=True)


def _block(block: nn.Module, x: Tensor) -> Tensor:
    if isinstance(block, SelfAttention):
        return _attention(block, x)
    assert isinstance(block, PyramidDilationBlock)
    branches = [F.relu(_conv(branch, x)) for branch in block.branches]
    return x + _conv(block.fusion, torch.cat(branches, dim=1))


def _attention(block: SelfAttention, x: Tensor) -> Tensor:
    names = zip(block.embedding.weight.chunk(3), block.embedding.bias.chunk(3), strict=True)
    theta, phi, g = (F.conv2d(x, weight, bias).flatten(2) for weight, bias in names)
    attention = torch.softmax(theta.transpose(1, 2) @ phi, dim=-1)
    y = (attention @ g.transpose(1, 2)).transpose(1, 2).contiguous()
    return x + block.output(y.view(x.shape[0], -1, *x.shape[2:]))


class LiteralDeepGin(nn.Module):
    """DeepGIN as the paper draws it (figure 2), with the weights of ours."""

    def __init__(self, ours: DeepGinGenerator) -> None:
        super().__init__()
        self.ours = ours

    def forward(self, image: Tensor, mask: Tensor) -> list[Tensor]:
        coarse, fine = self.ours.coarse, self.ours.refinement
        x = torch.cat([image * (1 - mask) + mask, mask], dim=1)
        for convolution in coarse.encoder:
            x = _leaky(_conv(convolution, x))
        for block in coarse.middle:
            x = _block(block, x)
        for convolution in coarse.decoder:
            x = _leaky(_conv(convolution, _doubled(x)))
        first = _conv(coarse.last, x)
        x = torch.cat([first * mask + image * (1 - mask), mask], dim=1)
        encoded = []
        for convolution in fine.encoder:
            x = _leaky(_conv(convolution, x))
            encoded.append(x)
        for block in fine.middle:
            x = _block(block, x)
        for step, convolution in enumerate(fine.decoder):
            x = _leaky(_conv(convolution, _doubled(x)))
            if step < 2:
                skip = fine.skips[step]
                y = _leaky(_conv(skip.reduction, encoded[3 - step]))
                x = _leaky(_conv(skip.mix, torch.cat([x, _attention(skip.attention, y)], dim=1)))
            if step == 1:
                head = fine.low_resolution
                low = _conv(head[2], _leaky(_conv(head[0], x)))
        answer = _conv(fine.last, x) * mask + image * (1 - mask)
        alpha = torch.sigmoid(_conv(self.ours.back_projection.weight, x))
        return [first, answer + _resized(low - _resized(answer, low), answer) * alpha]


def subjects(size: int, batch: int) -> tuple[nn.Module, nn.Module, tuple[Tensor, Tensor]]:
    """Literal and ours, with the same weights, and their inputs."""
    torch.manual_seed(0)
    hole = torch.zeros(batch, 1, size, size)
    hole[..., size // 4 : 3 * size // 4, size // 4 : 3 * size // 4] = 1
    ours = DeepGinGenerator()  # in training mode: nothing is clipped
    return LiteralDeepGin(ours), ours, (torch.rand(batch, 3, size, size), hole)


def run(module: nn.Module, inputs: tuple[Tensor, Tensor], training: bool) -> Tensor:
    with torch.set_grad_enabled(training):
        answer = module(*inputs)
        stages = answer if isinstance(answer, list) else answer.stages
        if training:
            sum(stage.abs().mean() for stage in stages).backward()
    return stages[-1].detach()


def extra_memory(arguments: argparse.Namespace, size: int, which: str) -> float:
    """MB that a run needs beside weights and inputs, in a process of its own."""
    call = [sys.executable, __file__, "--probe", which, "--size", str(size)]
    call += ["--batch", str(arguments.batch)] + ["--training"] * arguments.training
    return float(subprocess.run(call, capture_output=True, text=True, check=True).stdout)


def probe(arguments: argparse.Namespace) -> None:
    literal, ours, inputs = subjects(arguments.size[0], arguments.batch)
    Path("/proc/self/clear_refs").write_text("5")  # the highest resident size starts anew
    before = _highest_resident()
    run(literal if arguments.probe == "literal" else ours, inputs, arguments.training)
    print((_highest_resident() - before) / 1024)


def _highest_resident() -> int:
    """VmHWM in KiB (Linux)."""
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0])


def in_turns(repeats: int, *functions: Callable[[], object]) -> list[float]:
    """Median milliseconds of each, of the processor where there is one thread."""
    clock = time.process_time if torch.get_num_threads() == 1 else time.perf_counter
    times: list[list[float]] = [[] for _ in functions]
    for _ in range(repeats):
        for function, taken in zip(functions, times, strict=True):
            start = clock()
            function()
            taken.append(1000 * (clock() - start))
    return [statistics.median(taken) for taken in times]


def compare(arguments: argparse.Namespace) -> None:
    print("| size | literal ms | ours ms | faster | extra memory literal / ours MB | difference |")
    print("|---|---|---|---|---|---|")
    for size in arguments.size:
        literal, ours, inputs = subjects(size, arguments.batch)
        answers = [run(module, inputs, arguments.training) for module in (literal, ours)]
        slow, fast = in_turns(
            arguments.repeats,
            lambda: run(literal, inputs, arguments.training),  # noqa: B023
            lambda: run(ours, inputs, arguments.training),  # noqa: B023
        )
        memory = [extra_memory(arguments, size, which) for which in ("literal", "ours")]
        difference = (answers[0] - answers[1]).abs().max() / answers[0].std()
        print(
            f"| {size} | {slow:.0f} | {fast:.0f} | {slow / fast:.2f}× "
            f"| {memory[0]:.0f} / {memory[1]:.0f} ({memory[0] / memory[1]:.1f}×) "
            f"| {difference:.1e} |",
            flush=True,
        )


def rows(arguments: argparse.Namespace) -> None:
    print("| row of Table 1 | parameters | GMAC | ms |")
    print("|---|---|---|---|")
    inputs = subjects(arguments.size[0], arguments.batch)[2]
    networks = [DeepGinGenerator(**options).eval() for options in TABLE_1.values()]
    for network in networks:
        run(network, inputs, training=False)
    times = in_turns(
        arguments.repeats, *(lambda n=n: run(n, inputs, training=False) for n in networks)
    )
    for name, network, milliseconds in zip(TABLE_1, networks, times, strict=True):
        parameters = sum(p.numel() for p in network.parameters())
        with FlopCounterMode(display=False) as counter:
            run(network, inputs, training=False)
        products = counter.get_total_flops() / 2e9
        print(f"| {name} | {parameters:,} | {products:.2f} | {milliseconds:.0f} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", type=int, nargs="+", default=[256])
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--training", action="store_true", help="forward and backward")
    parser.add_argument("--rows", action="store_true", help="the rows of Table 1, ours only")
    parser.add_argument("--probe", choices=["literal", "ours"], help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    if arguments.probe:
        probe(arguments)
    elif arguments.rows:
        rows(arguments)
    else:
        compare(arguments)


if __name__ == "__main__":
    main()
