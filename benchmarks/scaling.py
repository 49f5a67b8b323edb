"""Photos a second of a folder by one and by several processes, and what one photo costs.

    python benchmarks/scaling.py --workers 1 2 --photos 24

The photos are examples/photos/rocket.jpg scaled to a megapixel, each with holes of its own: thin
scratches, or one thick object. Processor seconds are told beside the clock's, as they are nearly
the same on a machine that is busy with other work.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from tempfile import mkdtemp

import numpy as np
from PIL import Image, ImageDraw

_HERE = Path(__file__).parents[1]
_SIZE = (1224, 816)


def save(home: Path, kind: str, photos: int) -> tuple[Path, Path]:
    picture = Image.open(_HERE / "examples" / "photos" / "rocket.jpg").convert("RGB")
    picture = picture.resize(_SIZE, Image.Resampling.BICUBIC)
    places = home / kind / "photos", home / kind / "masks"
    for place in places:
        place.mkdir(parents=True)
    for number in range(photos):
        rng = np.random.default_rng(number)
        mask = Image.new("L", _SIZE)
        pen = ImageDraw.Draw(mask)
        if kind == "scratches":
            for _ in range(8):
                ends = [int(x) for x in rng.integers(0, _SIZE[1], 4)]
                pen.line(ends, fill=255, width=4)
        else:
            x, y = (int(place) for place in rng.integers(100, 500, 2))
            pen.ellipse((x, y, x + 160, y + 200), fill=255)
        picture.save(places[0] / f"{number:04}.jpg", quality=90)
        mask.save(places[1] / f"{number:04}.png")
    return places


def run(places: tuple[Path, Path], output: Path, workers: int, model: str) -> tuple[float, float]:
    """Seconds of the clock and of the processor."""
    command = [sys.executable, "-m", "regionwise", "fill", str(places[0])]
    command += ["--masks", str(places[1]), "-o", str(output), "--model", model, "-q"]
    before, started = os.times(), time.perf_counter()
    subprocess.run([*command, "--workers", str(workers)], check=True)
    after = os.times()
    spent = after.children_user + after.children_system
    return (
        time.perf_counter() - started,
        spent - before.children_user - before.children_system,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--photos", type=int, default=24)
    parser.add_argument("--model", default="default")
    chosen = parser.parse_args()
    home = Path(mkdtemp(prefix="scaling"))
    few = max(chosen.photos // 4, 1)
    try:
        print("| holes | processes | photos/s | processor seconds a photo | to begin |")
        print("|---|---|---|---|---|")
        for kind in ("scratches", "object"):
            many = save(home, kind, chosen.photos)
            less = save(home / "few", kind, few)
            for workers in chosen.workers:
                # The difference of two runs: what it takes to begin is not a photo's.
                long = run(many, home / f"{kind}{workers}", workers, chosen.model)
                short = run(less, home / f"{kind}{workers}few", workers, chosen.model)
                clock, spent = (
                    (a - b) / (chosen.photos - few) for a, b in zip(long, short, strict=True)
                )
                begin = short[0] - few * clock
                print(f"| {kind} | {workers} | {1 / clock:.2f} | {spent:.2f} | {begin:.1f} s |")
    finally:
        shutil.rmtree(home)


if __name__ == "__main__":
    main()
