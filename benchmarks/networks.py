"""Every network, layer and loss against its literal form: one run, one file.

    python benchmarks/networks.py                # measure, write benchmarks/networks.json
    python benchmarks/networks.py --only madf --repeats 9
    python benchmarks/networks.py --compiled     # by torch.compile too; needs a C++ compiler
    python benchmarks/networks.py --check        # measure, and hold the gains against the file

The literal form is written from the paper (see the benchmark of each network) and has our weights;
answers are compared. Both run in turns in one process after a round that is not counted. With one
thread, the default, times are those of the processor, which other programs on the machine lengthen
but little, and the gain is the median of the rounds' ratios, which they lengthen less still.
The limit is what the convolutions of ours take at the best rate that a convolution reaches here.
"""

from __future__ import annotations

import argparse
import json
import platform
import re
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import correlation_loss
import deepgin
import madf
import region_norm
import region_wise
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

Work = Callable[[nn.Module], Tensor]
Modules = tuple[nn.Module, nn.Module, Work]

RESULTS = Path(__file__).with_name("networks.json")
ALLOWED = 0.8
"""Share of the recorded gain that `--check` wants at least."""


def _rn(size: int, kind: str) -> Modules:
    literal, ours, inputs = region_norm.subjects(size, kind)
    return literal, ours, lambda module: region_norm.run(module, inputs)


def _madf(size: int, train: bool) -> Modules:
    networks = [build(2, train=train) for build in (madf.literal, madf.ours)]
    image, mask = madf.inputs(2 if train else 1, size)
    return networks[0], networks[1], lambda n: madf.step(n, image, mask, train)[-1].detach()


def _deepgin(size: int, train: bool) -> Modules:
    literal, ours, inputs = deepgin.subjects(size, 2 if train else 1)
    return literal, ours, lambda module: deepgin.run(module, inputs, train)


def _region_wise(size: int, train: bool) -> Modules:
    networks = [region_wise.network(name, "released") for name in ("literal", "ours")]
    image, mask = region_wise.inputs(size, "box", 2 if train else 1)
    work = region_wise.train_step if train else region_wise.forward
    return networks[0], networks[1], lambda module: work(module, image, mask)


class _Loss(nn.Module):
    def __init__(self, loss: correlation_loss.Loss) -> None:
        super().__init__()
        self.loss = loss

    def forward(self, answer: Tensor, truth: Tensor) -> Tensor:
        return self.loss(answer, truth)


def _correlation(side: int, changed: float) -> Modules:
    answer, truth = correlation_loss.features(128, side, changed)

    def work(loss: nn.Module) -> Tensor:
        answer.grad = None
        loss(answer, truth).backward()
        assert answer.grad is not None
        return answer.grad.clone()

    losses = correlation_loss.LOSSES
    return _Loss(losses["literal"]), _Loss(losses["ours"]), work


SUBJECTS: dict[str, Callable[[], Modules]] = {
    "rn: RN-B, 64 channels, 256": partial(_rn, 256, "layer"),
    "rn: network, 256": partial(_rn, 256, "network"),
    "rn: network, 512": partial(_rn, 512, "network"),
    "madf: K = 2, 256": partial(_madf, 256, False),
    "madf: K = 2, 512": partial(_madf, 512, False),
    "madf: K = 2, training step of two, 256": partial(_madf, 256, True),
    "deepgin: network, 256": partial(_deepgin, 256, False),
    "deepgin: network, 512": partial(_deepgin, 512, False),
    "deepgin: training step of two, 256": partial(_deepgin, 256, True),
    "region-wise: network, 256": partial(_region_wise, 256, False),
    "region-wise: network, 512": partial(_region_wise, 512, False),
    "region-wise: training step of two, 256": partial(_region_wise, 256, True),
    "correlation loss: n = 4096, all changed": partial(_correlation, 64, 1.0),
    "correlation loss: n = 4096, 30 % changed": partial(_correlation, 64, 0.3),
}


def milliseconds(work: Work, module: nn.Module) -> float:
    """Of one call: of the processor where there is one thread, else of the clock."""
    clock = time.process_time if torch.get_num_threads() == 1 else time.perf_counter
    start = clock()
    work(module)
    return 1000 * (clock() - start)


def measured(make: Callable[[], Modules], repeats: int, rate: float, compiled: bool) -> dict:
    """One row of the file."""
    literal, ours, work = make()
    modules = {"literal": literal, "ours": ours}
    answers = [work(module) for module in modules.values()]
    row: dict[str, Any] = {}
    with FlopCounterMode(display=False) as counter:
        work(ours)
    counts = counter.get_flop_counts()["Global"]
    products = sum(flops for kind, flops in counts.items() if "convolution" in str(kind)) / 2
    if compiled:
        modules["compiled"] = torch.compile(ours)
        work(modules["compiled"])
    rounds = [
        {name: milliseconds(work, module) for name, module in modules.items()}
        for _ in range(repeats + 1)
    ][1:]
    for name in modules:
        row[f"{name}_ms"] = round(median(one[name] for one in rounds), 2)
        if name != "literal":
            row[f"{name}_gain"] = round(median(one["literal"] / one[name] for one in rounds), 3)
    row["gmac"] = round(products / 1e9, 3)
    row["limit_ms"] = round(products / rate * 1000, 2)
    difference = (answers[0] - answers[1]).abs().max() / answers[0].std().clamp(min=1e-12)
    row["difference"] = float(f"{float(difference):.1e}") if answers[0].numel() > 1 else 0.0
    return row


def best_rate() -> float:
    """Multiply-accumulates a second of the fastest of some convolutions of the networks' shapes."""
    best = 0.0
    for channels, size in ((64, 128), (128, 64), (256, 64)):
        x = torch.rand(1, channels, size, size).to(memory_format=torch.channels_last)
        layer = nn.Conv2d(channels, channels, 3, padding=1).to(memory_format=torch.channels_last)
        products = channels * channels * 9 * size * size
        with torch.no_grad():
            times = [milliseconds(lambda m, x=x: F.relu(m(x)), layer) for _ in range(9)]
        best = max(best, products / (min(times[2:]) / 1000))
    return best


def machine(rate: float) -> dict[str, Any]:
    """What the figures depend on."""
    processor = platform.processor()
    if Path("/proc/cpuinfo").exists():
        found = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
        processor = found[1] if found else processor
    return {
        "processor": processor,
        "capability": torch.backends.cpu.get_cpu_capability(),
        "system": platform.platform(terse=True),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "threads": torch.get_num_threads(),
        "convolution_gmac_per_second": round(rate / 1e9, 1),
    }


def lost(results: dict[str, Any], recorded: dict[str, Any]) -> list[str]:
    """What gains clearly less than it did, a line each."""
    return [
        f"{name}: {row['ours_gain']:.2f}× the literal form, "
        f"recorded {recorded['rows'][name]['ours_gain']:.2f}×"
        for name, row in results["rows"].items()
        if name in recorded["rows"]
        and row["ours_gain"] < ALLOWED * recorded["rows"][name]["ours_gain"]
    ]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", nargs="+", default=[""], help="what names begin with")
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--compiled", action="store_true")
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    recorded = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else {"rows": {}}
    rate = best_rate()
    results: dict[str, Any] = {"machine": machine(rate), "rows": {}}
    if (
        not options.check
        and recorded["rows"]
        and recorded["machine"]["processor"] == (results["machine"]["processor"])
    ):
        results["rows"] = dict(recorded["rows"])
    for name, make in SUBJECTS.items():
        if name.startswith(tuple(options.only)):
            results["rows"][name] = measured(make, options.repeats, rate, options.compiled)
            print(name, json.dumps(results["rows"][name]), flush=True)
            if not options.check:
                ordered = {key: results["rows"][key] for key in SUBJECTS if key in results["rows"]}
                text = json.dumps(results | {"rows": ordered}, indent=2, ensure_ascii=False)
                RESULTS.write_text(text + "\n", encoding="utf-8")
    if options.check:
        worse = lost(results, recorded)
        sys.exit("\n".join(worse) if worse else 0)


if __name__ == "__main__":
    main()
