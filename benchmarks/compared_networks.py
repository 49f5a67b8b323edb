"""All networks: parameters, products, time and memory.

    python benchmarks/compared_networks.py
    python benchmarks/compared_networks.py --size 512 --models pconv lbam

Each network runs in a process of its own. Time is the least of some forward passes of one picture,
as other work on the machine only adds to it; memory is what these held at most beyond the network.
Multiply-accumulates are of convolutions and matrix products at 256×256; a transposed convolution
counts at its input's size.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time

import torch
from measure import peak_memory
from torch.utils.flop_counter import FlopCounterMode

from regionwise.models.registry import create_model, model_names


def probe(name: str, size: int, repeats: int) -> None:
    network = create_model(name).eval()
    rng = torch.Generator().manual_seed(0)
    image = torch.rand(1, 3, size, size, generator=rng)
    mask = torch.zeros(1, 1, size, size)
    mask[..., size // 4 : 3 * size // 4, size // 4 : 3 * size // 4] = 1
    row: dict[str, float] = {"parameters": sum(p.numel() for p in network.parameters())}
    with torch.no_grad():
        network(image[..., :64, :64], mask[..., :64, :64])
        before = peak_memory()
        times = []
        for _ in range(repeats + 1):
            started = time.perf_counter()
            network(image, mask)
            times.append(time.perf_counter() - started)
        row["milliseconds"] = min(times) * 1000
        row["megabytes"] = peak_memory() - before
        with FlopCounterMode(display=False) as counter:
            network(image, mask)
        row["products"] = counter.get_total_flops() / 2e9
    print(json.dumps(row))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", nargs="+", default=model_names())
    parser.add_argument("--size", type=int, nargs="+", default=[256, 512])
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--probe", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    if arguments.probe:
        probe(arguments.probe, arguments.size[0], arguments.repeats)
        return
    print("| network | size | parameters | GMAC | ms | MB |\n|---|---|---|---|---|---|")
    for size in arguments.size:
        for name in arguments.models:
            command = [sys.executable, __file__, "--probe", name, "--size", str(size)]
            command += ["--repeats", str(arguments.repeats), "--threads", str(arguments.threads)]
            row = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
            print(
                f"| {name} | {size} | {row['parameters']:,.0f} | {row['products']:.2f} "
                f"| {row['milliseconds']:.0f} | {row['megabytes']:.0f} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
