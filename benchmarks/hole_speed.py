"""Print how many holes a second each family draws, on one core.

    python benchmarks/hole_speed.py [--size 256] [--seconds 1]

Beside DeepFill v2's way of drawing free-form holes, one vertex at a time, as a measure.
"""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Callable

import numpy as np
from PIL import Image, ImageDraw

from regionwise.arrays import Mask
from regionwise.holes import FAMILIES, Size


def vertex_by_vertex(size: Size, rng: np.random.Generator) -> Mask:
    """DeepFill v2's strokes in the plain way: chance is asked and ink put down for each vertex."""
    height, width = size
    reach = math.hypot(height, width) / 8
    canvas = Image.new("L", (width, height))
    draw = ImageDraw.Draw(canvas)
    for _ in range(rng.integers(1, 5)):
        x, y = rng.integers(0, width), rng.integers(0, height)
        brush = int(rng.uniform(12, 40) * min(size) / 256)
        for number in range(rng.integers(4, 13)):
            angle = rng.uniform(2 * math.pi * 4 / 15, 2 * math.pi * 8 / 15)
            angle = 2 * math.pi - angle if number % 2 == 0 else angle
            step = min(max(rng.normal(reach, reach / 2), 0), 2 * reach)
            end_x = int(min(max(x + step * math.cos(angle), 0), width))
            end_y = int(min(max(y + step * math.sin(angle), 0), height))
            draw.line((x, y, end_x, end_y), fill=1, width=max(brush, 1))
            draw.ellipse((x - brush // 2, y - brush // 2, x + brush // 2, y + brush // 2), fill=1)
            x, y = end_x, end_y
    return np.array(canvas, bool)


def holes_per_second(draw: Callable[[np.random.Generator], Mask], seconds: float) -> float:
    rng = np.random.default_rng(0)
    count, start = 0, time.perf_counter()
    while (spent := time.perf_counter() - start) < seconds:
        draw(rng)
        count += 1
    return count / spent


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--seconds", type=float, default=1.0)
    options = parser.parse_args()
    size = (options.size, options.size)
    print(f"| family, {options.size}×{options.size} | holes a second | of 20-30 % |\n|---|---|---|")
    for name, family in FAMILIES.items():
        free = holes_per_second(lambda rng, f=family: f(size, rng, None), options.seconds)
        bound = holes_per_second(lambda rng, f=family: f(size, rng, (0.2, 0.3)), options.seconds)
        print(f"| {name} | {free:.0f} | {bound:.0f} |")
    plain = holes_per_second(lambda rng: vertex_by_vertex(size, rng), options.seconds)
    print(f"| free-form, vertex by vertex | {plain:.0f} | |")


if __name__ == "__main__":
    main()
