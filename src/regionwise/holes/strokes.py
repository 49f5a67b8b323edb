"""Holes drawn with a brush."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from regionwise.arrays import Mask
from regionwise.holes.ratio import Ratio, Size, draw_count, own_ratio, pixel_counts, settle

_ORDERS = 255
"""Segments that one drawing can tell apart: its grey values, without 0."""


@dataclass(frozen=True)
class Segments:
    """Straight pieces of brush strokes, in the order in which they are put down.

    `ends`: n×4 whole pixels, x and y of start and end; `brush`: n widths in pixels; `first`: n
    bool, True where a stroke begins.
    """

    ends: NDArray[np.int64]
    brush: NDArray[np.int64]
    first: NDArray[np.bool_]


def free_form(size: Size, rng: np.random.Generator, ratio: Ratio | None = None) -> Mask:
    """Brush strokes with DeepFill v2's parameters (Yu et al., ICCV 2019, supplement).

    One to four strokes of 4 to 12 vertices; angles swing about 2π/5 by up to 2π/15, turned round at
    every second vertex; steps are normal about an eighth of the diagonal; brushes of 12 to 40
    pixels at 256, scaled with the picture. The whole is mirrored by chance.

    Args:
        size: height and width of the picture.
        rng: where chance comes from.
        ratio: interval (low, high] of the share of missing pixels; as many strokes are then made
            as it takes, and the last one ends where the share is met.
    """
    if ratio is None:
        mask = _ordered(size, _zigzags(size, rng, int(rng.integers(1, 5)))) > 0
    else:
        mask = cover(size, rng, ratio, lambda share: _zigzags(size, rng, 8))
    down, right = (1, -1)[int(rng.integers(2))], (1, -1)[int(rng.integers(2))]
    return np.ascontiguousarray(mask[::down, ::right])


def irregular(size: Size, rng: np.random.Generator, ratio: Ratio | None = None) -> Mask:
    """Strokes of many widths and bends, in the manner of the NVIDIA masks (Liu et al., ECCV 2018).

    The NVIDIA masks are the occluded parts of moving things in videos; these are drawn, so that
    no file is needed. For masks from files see `StoredMasks`.

    Args:
        size: height and width of the picture.
        rng: where chance comes from.
        ratio: interval (low, high] of the share of missing pixels; (0, 0.6] by default.
    """
    return cover(
        size, rng, own_ratio(size, ratio, (0.0, 0.6)), lambda share: _walks(size, rng, share)
    )


def cover(
    size: Size, rng: np.random.Generator, ratio: Ratio, strokes: Callable[[float], Segments]
) -> Mask:
    """Draw until the share lies in the interval.

    All segments of a drawing are made in one pass, the first on top, each in its own grey; the
    histogram then says after how many of them the wanted share is missing. `strokes` gets the
    share that is still to be covered.
    """
    pixels = size[0] * size[1]
    most = pixel_counts(pixels, ratio)[1]
    aim = draw_count(rng, pixels, ratio)
    mask = np.zeros(size, bool)
    while (count := np.count_nonzero(mask)) < aim:
        order = _ordered(size, strokes((aim - count) / pixels))
        order[mask] = 1
        covered = np.cumsum(Image.fromarray(order).histogram()[1:])
        enough = int(np.searchsorted(covered, aim)) + 1
        if enough <= _ORDERS and covered[enough - 1] > most and enough > 1:
            enough -= 1
            return settle((order > 0) & (order <= enough), ratio)
        mask = (order > 0) & (order <= enough)
    return settle(mask, ratio)


def _ordered(size: Size, segments: Segments) -> NDArray[np.uint8]:
    """Each pixel holds the number, from 1, of the first segment that covers it; 0 = none."""
    canvas = Image.new("L", (size[1], size[0]))
    draw = ImageDraw.Draw(canvas)
    ends, brushes, first = segments.ends.tolist(), segments.brush.tolist(), segments.first.tolist()
    for number in range(len(brushes), 0, -1):
        x0, y0, x1, y1 = ends[number - 1]
        brush = brushes[number - 1]
        draw.line((x0, y0, x1, y1), fill=number, width=brush)
        if brush > 2:
            before, after = brush // 2, brush - 1 - brush // 2
            draw.ellipse((x1 - before, y1 - before, x1 + after, y1 + after), fill=number)
            if first[number - 1]:
                draw.ellipse((x0 - before, y0 - before, x0 + after, y0 + after), fill=number)
    return np.array(canvas)


def _zigzags(size: Size, rng: np.random.Generator, strokes: int) -> Segments:
    """Strokes of `free_form`."""
    height, width = size
    reach = math.hypot(height, width) / 8
    swing = rng.uniform(0, 2 * math.pi / 15, (2, strokes, 1))
    angles = 2 * math.pi / 5 - swing[0] + (swing[0] + swing[1]) * rng.random((strokes, 12))
    angles[:, ::2] = 2 * math.pi - angles[:, ::2]
    steps = np.clip(rng.normal(reach, reach / 2, (strokes, 12)), 0, 2 * reach)
    starts = rng.uniform(0, (width, height), (strokes, 2)).tolist()
    across, down = (steps * np.cos(angles)).tolist(), (steps * np.sin(angles)).tolist()
    points = []
    for (x, y), right, below in zip(starts, across, down, strict=True):
        path = [(x, y)]
        for move_x, move_y in zip(right, below, strict=True):
            x, y = min(max(x + move_x, 0), width), min(max(y + move_y, 0), height)
            path.append((x, y))
        points.append(path)
    brush = rng.uniform(12, 40, strokes) * min(size) / 256
    return _as_segments(np.array(points), brush, rng.integers(4, 13, strokes))


def _walks(size: Size, rng: np.random.Generator, share: float) -> Segments:
    """Strokes of `irregular`, enough of them for most drawings to cover a share."""
    # A segment adds 0.3 % on average; independent ones leave exp(-sum) of the picture.
    wanted = 12 + 1.2 * -math.log(max(1 - share, 0.05)) / 0.003
    count = min(math.ceil(wanted / 7.5), 40)
    return walks(size, rng, count, swing=0.6, steps=(0.03, 0.12), brushes=(0.015, 0.12))


def walks(
    size: Size,
    rng: np.random.Generator,
    count: int,
    *,
    swing: float,
    steps: tuple[float, float],
    brushes: tuple[float, float],
) -> Segments:
    """Strokes that wander.

    Args:
        size: height and width of the picture.
        rng: where chance comes from.
        count: of strokes, each of 2 to 13 segments.
        swing: deviation of the turn at each vertex, in radians.
        steps, brushes: intervals of segments' lengths and brushes' widths, as shares of the
            picture's shorter side; brushes are drawn evenly by their logarithm.
    """
    height, width = size
    side = min(size)
    directions = rng.uniform(0, 2 * math.pi, (count, 1)) + np.cumsum(
        rng.normal(0, swing, (count, 13)), axis=1
    )
    lengths = rng.uniform(*steps, (count, 13)) * side
    moves = lengths[..., None] * np.stack([np.cos(directions), np.sin(directions)], axis=-1)
    starts = rng.uniform(0, (width, height), (count, 1, 2))
    points = np.concatenate([starts, starts + np.cumsum(moves, axis=1)], axis=1)
    low, high = (float(edge) for edge in np.log(brushes))
    brush = side * np.exp(rng.uniform(low, high, count))
    return _as_segments(points, brush, rng.integers(2, 14, count))


def _as_segments(
    points: NDArray[np.float64], brush: NDArray[np.float64], lengths: NDArray[np.int64]
) -> Segments:
    """The first `lengths` segments of each stroke; points: strokes × vertices × (x, y)."""
    pixels = np.rint(points).astype(np.int64)
    ends = np.concatenate([pixels[:, :-1], pixels[:, 1:]], axis=2)
    number = np.arange(ends.shape[1])
    used = number < lengths[:, None]
    widths = np.maximum(np.rint(brush), 1).astype(np.int64)
    return Segments(
        ends[used][:_ORDERS],
        np.broadcast_to(widths[:, None], used.shape)[used][:_ORDERS],
        np.broadcast_to(number == 0, used.shape)[used][:_ORDERS],
    )
