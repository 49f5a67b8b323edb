"""Holes drawn by chance, for training and for benchmarks.

Every generator takes a size (height, width) and a random generator and returns H×W bool,
True = missing. The same seed gives the same holes.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

Mask = NDArray[np.bool_]
Size = tuple[int, int]
Ratio = tuple[float, float]

_ORDERS = 255
"""Strokes that one drawing can tell apart: its grey values, without 0."""


def rectangle(
    size: Size, rng: np.random.Generator, sides: Ratio = (0.3, 0.7), ratio: Ratio | None = None
) -> Mask:
    """One rectangle whose sides are 30 to 70 % of the picture's (AIM 2020 challenge; DeepGIN).

    Args:
        size: height and width of the picture.
        rng: where chance comes from.
        sides: interval of either side, as a share of the picture's side.
        ratio: interval (low, high] that the share of missing pixels has to meet; the sides are
            then free between 5 % and 100 %.
    """
    height, width = size
    if ratio is None:
        tall, wide = rng.uniform(*sides, 2)
    else:
        area = _aim(rng, ratio)
        tall = rng.uniform(area, 1.0) if area > 0.25 else rng.uniform(area / 0.7, 0.7)
        wide = area / tall
    rows = min(max(round(tall * height), 1), height)
    columns = min(max(round(wide * width), 1), width)
    top, left = rng.integers(0, height - rows + 1), rng.integers(0, width - columns + 1)
    mask = np.zeros(size, bool)
    mask[top : top + rows, left : left + columns] = True
    return mask


def free_form(size: Size, rng: np.random.Generator) -> Mask:
    """Brush strokes with DeepFill v2's parameters (Yu et al., ICCV 2019, supplement).

    One to four strokes of 4 to 12 vertices; angles swing about 2π/5 by up to 2π/15, turned round at
    every second vertex; steps are normal about an eighth of the diagonal; brushes of 12 to 40
    pixels at 256, scaled with the picture. The whole is mirrored by chance.
    """
    height, width = size
    reach = math.hypot(height, width) / 8
    scale = min(size) / 256
    canvas = Image.new("1", (width, height))
    draw = ImageDraw.Draw(canvas)
    for _ in range(rng.integers(1, 5)):
        low, high = 2 * math.pi / 5 - rng.uniform(0, 2 * math.pi / 15, 2) * (1, -1)
        angles = rng.uniform(low, high, rng.integers(4, 13))
        angles[::2] = 2 * math.pi - angles[::2]
        steps = np.clip(rng.normal(reach, reach / 2, len(angles)), 0, 2 * reach)
        path = [rng.uniform(0, (width, height))]
        for angle, step in zip(angles, steps, strict=True):
            move = step * np.array([math.cos(angle), math.sin(angle)])
            path.append(np.clip(path[-1] + move, 0, (width, height)))
        _stroke(draw, np.array(path), rng.uniform(12, 40) * scale, 1)
    mask = np.asarray(canvas)
    return np.ascontiguousarray(mask[:: rng.choice((1, -1)), :: rng.choice((1, -1))])


def irregular(size: Size, rng: np.random.Generator, ratio: Ratio = (0.0, 0.6)) -> Mask:
    """Strokes of many widths and bends, in the manner of the NVIDIA masks (Liu et al., ECCV 2018).

    All strokes of a drawing are made in one pass, the first on top, each in its own grey; the
    histogram then says after how many of them the wanted share is missing. A stroke is short, so
    that one more changes the share by little.

    Args:
        size: height and width of the picture.
        rng: where chance comes from.
        ratio: interval (low, high] of the share of missing pixels; it is met if it holds a number
            of pixels that strokes can leave, else approached as near as a whole stroke allows.
    """
    height, width = size
    aim = _aim(rng, ratio)
    mask = np.zeros(size, bool)
    while mask.mean() < aim:
        order = _ordered_strokes(size, rng)
        order[mask] = 1
        share = np.cumsum(np.bincount(order.ravel(), minlength=_ORDERS + 1)[1:]) / mask.size
        enough = int(np.searchsorted(share, aim)) + 1
        mask = (order > 0) & (order <= enough)
    return mask


def contiguous(size: Size, rng: np.random.Generator, ratio: Ratio = (0.05, 0.4)) -> Mask:
    """One blob with a wavy outline, as when an object is taken out.

    Args:
        size: height and width of the picture.
        rng: where chance comes from.
        ratio: interval (low, high] of the share of missing pixels.
    """
    height, width = size
    turn = np.linspace(0, 2 * math.pi, 72, endpoint=False)
    waves = np.arange(1, 7)[:, None]
    amplitude = rng.normal(0, 0.35, (6, 1)) / waves
    outline = np.exp((amplitude * np.cos(waves * turn + rng.uniform(0, 7, (6, 1)))).sum(axis=0))
    stretch = np.exp(rng.normal(0, 0.3))
    shape = np.stack([outline * np.cos(turn) * stretch, outline * np.sin(turn) / stretch], axis=1)
    center = rng.uniform(0.15, 0.85, 2) * (width, height)
    aim = _aim(rng, ratio)
    low, high = 0.0, 4.0 * max(size)
    for _ in range(16):
        middle = (low + high) / 2
        canvas = Image.new("1", (width, height))
        ImageDraw.Draw(canvas).polygon([tuple(p) for p in center + middle * shape], fill=1)
        mask = np.array(canvas)
        low, high = (middle, high) if mask.mean() < aim else (low, middle)
        if abs(mask.mean() - aim) < 0.005:
            break
    return mask


FAMILIES: dict[str, Callable[..., Mask]] = {
    "rectangle": rectangle,
    "free-form": free_form,
    "irregular": irregular,
    "contiguous": contiguous,
}


def draw_hole(
    size: Size,
    rng: np.random.Generator,
    mixture: Mapping[str, float],
    ratio: Ratio | None = None,
) -> Mask:
    """A hole of a family drawn by weight.

    Args:
        size: height and width of the picture.
        rng: where chance comes from.
        mixture: weight of each family of `FAMILIES`.
        ratio: interval of the share of missing pixels, for the families that take one.
    """
    names = sorted(mixture)
    weights = np.array([mixture[name] for name in names], float)
    name = names[rng.choice(len(names), p=weights / weights.sum())]
    if ratio is None or name == "free-form":
        return FAMILIES[name](size, rng)
    return FAMILIES[name](size, rng, ratio=ratio)


def _aim(rng: np.random.Generator, ratio: Ratio) -> float:
    """A share inside (low, high], a little away from its ends."""
    low, high = ratio
    margin = 0.1 * (high - low)
    return float(rng.uniform(low + margin, high - margin))


def _ordered_strokes(size: Size, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Each pixel holds the number, from 1, of the first stroke that covers it; 0 = none."""
    height, width = size
    side = min(size)
    canvas = Image.new("L", (width, height))
    draw = ImageDraw.Draw(canvas)
    strokes = []
    while len(strokes) < _ORDERS:
        point = rng.uniform(0, (width, height))
        direction = rng.uniform(0, 2 * math.pi)
        brush = side * math.exp(rng.uniform(math.log(0.015), math.log(0.12)))
        for _ in range(rng.integers(2, 14)):
            direction += rng.normal(0, 0.6)
            step = rng.uniform(0.03, 0.12) * side
            end = point + step * np.array([math.cos(direction), math.sin(direction)])
            strokes.append((np.array([point, end]), brush))
            point = end
    for number in range(_ORDERS, 0, -1):
        _stroke(draw, *strokes[number - 1], number)
    return np.array(canvas)


def _stroke(draw: ImageDraw.ImageDraw, path: NDArray[np.float64], brush: float, ink: int) -> None:
    """A line of round ends and joints; path: points × (x, y)."""
    draw.line([tuple(point) for point in path], fill=ink, width=max(round(brush), 1))
    radius = brush / 2
    if radius > 1:
        for x, y in path:
            draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=ink)
