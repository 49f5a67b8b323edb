"""Holes with straight sides."""

from __future__ import annotations

import numpy as np

from regionwise.arrays import Mask
from regionwise.holes.ratio import Ratio, Size, draw_count, pixel_counts, settle


def center_square(size: Size, rng: np.random.Generator, ratio: Ratio | None = None) -> Mask:
    """The regular hole: half of each side, in the middle, a quarter of the picture.

    So in Pathak et al. (CVPR 2016), RN (AAAI 2020, Section 4.1) and MADF (Table I). Of a picture
    that is not square it is the middle rectangle. Without a ratio nothing is left to chance.
    """
    height, width = size
    share = 0.25 if ratio is None else draw_count(rng, height * width, ratio) / (height * width)
    rows, columns = (min(max(round(side * share**0.5), 1), side) for side in size)
    mask = _box(size, rows, columns, (height - rows) // 2, (width - columns) // 2)
    return mask if ratio is None else settle(mask, ratio)


def rectangle(
    size: Size,
    rng: np.random.Generator,
    ratio: Ratio | None = None,
    sides: tuple[float, float] = (0.3, 0.7),
) -> Mask:
    """One rectangle anywhere, its sides 30 to 70 % of the picture's (DeepGIN, Section 5.1).

    Args:
        size: height and width of the picture.
        rng: where chance comes from.
        ratio: interval (low, high] of the share of missing pixels; the sides are then free
            between 5 and 100 % where that can meet it.
        sides: interval of either side, as a share of the picture's side.
    """
    height, width = size
    if ratio is None:
        rows, columns = (
            round(side * share) for side, share in zip(size, rng.uniform(*sides, 2), strict=True)
        )
    else:
        rows, columns = _sides_of_area(size, rng, ratio)
    rows, columns = min(max(rows, 1), height), min(max(columns, 1), width)
    top, left = rng.integers(0, (height - rows + 1, width - columns + 1)).tolist()
    mask = _box(size, rows, columns, top, left)
    return mask if ratio is None else settle(mask, ratio)


def _sides_of_area(size: Size, rng: np.random.Generator, ratio: Ratio) -> tuple[int, int]:
    """Rows and columns whose product lies in the interval; if there are none, the nearest below."""
    height, width = size
    fewest, most = pixel_counts(height * width, ratio)
    count = draw_count(rng, height * width, ratio)
    share = count / (height * width)
    tall = rng.uniform(share, 1.0) if share > 0.25 else rng.uniform(share / 0.7, 0.7)
    every_rows = np.arange(1, height + 1)
    columns = np.clip(np.rint(count / every_rows), -(-fewest // every_rows), most // every_rows)
    columns = np.minimum(columns, width).astype(int)
    fits = (every_rows * columns >= fewest) & (every_rows * columns <= most)
    if not fits.any():
        best = int(np.argmax(np.where(every_rows * columns <= most, every_rows * columns, 0)))
    else:
        best = int(np.argmin(np.abs(every_rows - tall * height) + np.where(fits, 0, 2 * height)))
    return int(every_rows[best]), int(columns[best])


def _box(size: Size, rows: int, columns: int, top: int, left: int) -> Mask:
    mask = np.zeros(size, bool)
    mask[top : top + rows, left : left + columns] = True
    return mask
