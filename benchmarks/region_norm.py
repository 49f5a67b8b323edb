"""Region Normalization: the literal formulation against ours, layer and whole network.

    python benchmarks/region_norm.py --size 256 512 --repeats 5

The literal one follows the released computation (the outside of a region is filled with its mean,
the whole is normalised, the result scaled by the root of the region's share; once for each region),
written here from its description. Both run in turns in one process; times are medians. Memory is
the highest resident size of a process of its own for each, less that before the first forward.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import time
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from regionwise.layers.region_norm import RegionNormBasic, RegionNormLearnable
from regionwise.models.registry import create_model


def _region(x: Tensor, inside: Tensor) -> Tensor:
    pixels = inside.sum(dim=(2, 3), keepdim=True).clamp(min=1)
    mean = (x * inside).sum(dim=(2, 3), keepdim=True) / pixels
    normal = F.instance_norm(x * inside + (1 - inside) * mean, eps=1e-5)
    return normal * torch.sqrt(pixels / (x.shape[2] * x.shape[3]))


class LiteralBasic(nn.Module):
    """RN-B in the released reading, with the weights of ours."""

    def __init__(self, ours: RegionNormBasic) -> None:
        super().__init__()
        self.weight, self.bias = ours.weight, ours.bias

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        hole = F.interpolate(mask, size=x.shape[-2:], mode="nearest")
        y = _region(x, hole) + _region(x, 1 - hole)
        known, missing = self.weight[:, :, None, None]
        in_hole = (y * hole) * missing + self.bias[1, :, None, None]
        outside = (y * (1 - hole)) * known + self.bias[0, :, None, None]
        return in_hole + outside


class LiteralLearnable(nn.Module):
    """RN-L, with the weights of ours."""

    def __init__(self, ours: RegionNormLearnable) -> None:
        super().__init__()
        self.ours = ours

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        response = self.ours.spatial_response(x)
        region = (response >= self.ours.threshold).float()
        y = _region(x, region) + _region(x, 1 - region)
        gamma, beta = self.ours.affine(response).split(1, dim=1)
        return y * (1 + gamma) + beta


def literal(network: nn.Module) -> nn.Module:
    """Replace the norms of a network by the literal ones."""
    for name, child in network.named_children():
        if isinstance(child, RegionNormBasic):
            setattr(network, name, LiteralBasic(child))
        elif isinstance(child, RegionNormLearnable):
            setattr(network, name, LiteralLearnable(child))
        else:
            literal(child)
    return network


def subjects(size: int, kind: str) -> tuple[nn.Module, nn.Module, tuple[Tensor, Tensor]]:
    """Literal and ours, with the same weights, and their inputs."""
    torch.manual_seed(0)
    hole = torch.zeros(1, 1, size, size)
    hole[..., size // 4 : 3 * size // 4, size // 4 : 3 * size // 4] = 1
    if kind == "network":
        networks = [create_model("rn", affine="released").eval() for _ in range(2)]
        networks[1].load_state_dict(networks[0].state_dict())
        ours = networks[1].to(memory_format=torch.channels_last)
        return literal(networks[0]), ours, (torch.rand(1, 3, size, size), hole)
    layer = RegionNormBasic(64, affine="released", eps_by_share=True)
    x = torch.randn(1, 64, size, size)
    return LiteralBasic(layer), layer, (x, hole)


def run(module: nn.Module, inputs: tuple[Tensor, Tensor]) -> Tensor:
    with torch.no_grad():
        answer = module(*inputs)
    return answer if isinstance(answer, Tensor) else answer.answer


def extra_memory(size: int, kind: str, which: str) -> float:
    """MB that a forward needs beside weights and inputs, in a process of its own."""
    call = [sys.executable, __file__, "--probe", kind, which, str(size)]
    return float(subprocess.run(call, capture_output=True, text=True, check=True).stdout)


def probe(kind: str, which: str, size: int) -> None:
    literal_, ours, inputs = subjects(size, kind)
    Path("/proc/self/clear_refs").write_text("5")  # the highest resident size starts anew
    before = _highest_resident()
    run(literal_ if which == "literal" else ours, inputs)
    print((_highest_resident() - before) / 1024)


def _highest_resident() -> int:
    """VmHWM in KiB (Linux)."""
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", type=int, nargs="+", default=[256, 512])
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--probe", nargs=3)
    arguments = parser.parse_args()
    torch.set_num_threads(2)
    if arguments.probe:
        probe(arguments.probe[0], arguments.probe[1], int(arguments.probe[2]))
        return
    print("| what | size | literal ms | ours ms | faster | memory literal / ours MB | difference |")
    print("|---|---|---|---|---|---|---|")
    for kind in ("layer", "network"):
        for size in arguments.size:
            literal_, ours, inputs = subjects(size, kind)
            difference = (run(literal_, inputs) - run(ours, inputs)).abs().max().item()
            times: dict[str, list[float]] = {"literal": [], "ours": []}
            for _ in range(arguments.repeats):
                for name, module in (("literal", literal_), ("ours", ours)):
                    start = time.perf_counter()
                    run(module, inputs)
                    times[name].append(1000 * (time.perf_counter() - start))
            slow, fast = (statistics.median(times[name]) for name in ("literal", "ours"))
            memory = [extra_memory(size, kind, name) for name in ("literal", "ours")]
            print(
                f"| {kind} | {size} | {slow:.0f} | {fast:.0f} | {slow / fast:.2f}× "
                f"| {memory[0]:.0f} / {memory[1]:.0f} | {difference:.1e} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
