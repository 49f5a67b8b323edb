"""Photos a second that one core makes ready for training: read, decoded, cropped, holes drawn.

    python benchmarks/data_loading.py PHOTOS [recipes/rn.yaml ...] [--photos 200]

PHOTOS: a folder or tar shard. One thread, one process; the workers of a loader do this side by
side.
"""

import argparse
import time
from pathlib import Path

import numpy as np

from regionwise.data.batches import HolePhotos, draw_holes, families
from regionwise.data.framing import framed
from regionwise.data.photo_sources import find_photos
from regionwise.recipe import read_recipe

RECIPES = ("rn", "region-wise", "madf", "deepgin")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("source", type=Path)
    parser.add_argument("recipes", type=Path, nargs="*")
    parser.add_argument("--photos", type=int, default=200)
    options = parser.parse_args()
    here = Path(__file__).parents[1] / "recipes"
    photos = find_photos([options.source])
    print("| recipe | pictures/s of one core | ms to read, decode, crop | ms to draw holes |")
    print("|---|---|---|---|")
    for recipe in options.recipes or [here / f"{name}.yaml" for name in RECIPES]:
        print(row(recipe, photos, options.photos))


def row(file: Path, photos: list, count: int) -> str:
    phase = read_recipe(file).phases[0]
    stream = HolePhotos(photos, phase.data, phase.holes, seed=0)
    stream[count]
    start = time.process_time()
    pictures = sum(len(stream[k].mask) for k in range(count))
    whole = time.process_time() - start
    rng, known = np.random.default_rng(0), families(phase.holes)
    start = time.process_time()
    for _ in range(count):
        draw_holes(phase.holes, known, phase.data.size, rng)
    holes = time.process_time() - start
    start = time.process_time()
    for k in range(count):
        framed(photos[k % len(photos)].read(), phase.data, rng)
    reading = time.process_time() - start
    per_photo = [1000 * seconds / count for seconds in (reading, holes)]
    return f"| {file.stem} | {pictures / whole:.0f} | {per_photo[0]:.1f} | {per_photo[1]:.1f} |"


if __name__ == "__main__":
    main()
