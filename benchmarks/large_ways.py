"""Large photos filled in windows and by polyphase components, with and without the ensemble.

    python benchmarks/large_ways.py PHOTO... [--model default] [--pictures FOLDER]

Each photo gets three holes: a scratch, a box of a tenth of the shorter side, one of a third. What
is printed are the seconds of a fill (the model is loaded before), and in the hole the PSNR, the
mean error and the energy of the gradients as a share of the true ones: how much texture there is.
"""

from __future__ import annotations

import argparse
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

import regionwise

WAYS = {
    "window": {"large": "window"},
    "detail": {"large": "detail"},
    "polyphase": {"large": "polyphase"},
    "window, ensemble": {"large": "window", "ensemble": True},
    "polyphase, ensemble": {"large": "polyphase", "ensemble": True},
}


def holes(height: int, width: int) -> Iterator[tuple[str, np.ndarray]]:
    """Name and H×W bool."""
    short = min(height, width)
    scratch = Image.new("L", (width, height))
    points = [(width * x // 10, height * y // 10) for x, y in ((1, 2), (4, 5), (6, 4), (9, 8))]
    ImageDraw.Draw(scratch).line(points, fill=255, width=short // 150)
    yield "scratch", np.asarray(scratch) > 0
    for name, share in (("small box", 10), ("large box", 3)):
        hole = np.zeros((height, width), bool)
        side = short // share
        top, left = (height - side) // 2, (width - side) // 2
        hole[top : top + side, left : left + side] = True
        yield name, hole


def measured(truth: np.ndarray, filled: np.ndarray, hole: np.ndarray) -> tuple[float, float, float]:
    """PSNR in dB, mean error in %, share of gradient energy; all inside the hole."""
    truth, filled = truth / 255.0, filled / 255.0
    error = (truth - filled)[hole]
    psnr = -10 * np.log10((error**2).mean())
    return psnr, 100 * np.abs(error).mean(), _energy(filled, hole) / _energy(truth, hole)


def _energy(picture: np.ndarray, hole: np.ndarray) -> float:
    down, right = np.diff(picture, axis=0)[:, :-1], np.diff(picture, axis=1)[:-1]
    return float((down**2 + right**2)[hole[:-1, :-1]].sum())


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("photos", type=Path, nargs="+")
    parser.add_argument("--model", default="default")
    parser.add_argument("--pictures", type=Path, help="write each filled photo into this folder")
    options = parser.parse_args()
    engine = regionwise.load_model(options.model)
    rows = defaultdict(list)
    for file in options.photos:
        truth = np.asarray(Image.open(file).convert("RGB"))
        for kind, hole in holes(*truth.shape[:2]):
            for way, how in WAYS.items():
                started = time.perf_counter()
                filled = regionwise.fill(truth, hole, engine, **how)
                seconds = time.perf_counter() - started
                rows[kind, way].append((seconds, *measured(truth, filled, hole)))
                if options.pictures:
                    name = f"{file.stem} {kind} {way}.png".replace(", ", "-").replace(" ", "-")
                    Image.fromarray(filled).save(options.pictures / name, compress_level=1)
    print("| hole | way | s | PSNR | error, % | texture |\n|---|---|---|---|---|---|")
    for (kind, way), numbers in rows.items():
        seconds, psnr, error, texture = np.mean(numbers, axis=0)
        print(f"| {kind} | {way} | {seconds:.1f} | {psnr:.2f} | {error:.2f} | {texture:.2f} |")


if __name__ == "__main__":
    main()
