"""What is laid over photos: writing, watermarks, scratches."""

from __future__ import annotations

import math
import string
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from regionwise.arrays import Mask
from regionwise.holes.ratio import Ratio, Size, draw_count, own_ratio, pixel_counts, settle
from regionwise.holes.strokes import cover, walks

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont

_LETTERS = string.ascii_letters + string.digits + "&@#%!?-"


def scratches(size: Size, rng: np.random.Generator, ratio: Ratio | None = None) -> Mask:
    """Thin, long, nearly straight strokes.

    Args:
        size: height and width of the picture.
        rng: where chance comes from.
        ratio: interval (low, high] of the share of missing pixels; (0.005, 0.1] by default.
    """
    return cover(
        size,
        rng,
        own_ratio(size, ratio, (0.005, 0.1)),
        lambda share: walks(size, rng, 6, swing=0.15, steps=(0.05, 0.2), brushes=(0.006, 0.025)),
    )


def text(size: Size, rng: np.random.Generator, ratio: Ratio | None = None) -> Mask:
    """Lines of writing in one size and slope: a caption, or a watermark all over the picture.

    Args:
        size: height and width of the picture.
        rng: where chance comes from.
        ratio: interval (low, high] of the share of missing pixels; (0.02, 0.25] by default.
    """
    ratio = own_ratio(size, ratio, (0.02, 0.25))
    pixels = size[0] * size[1]
    aim, most = draw_count(rng, pixels, ratio), pixel_counts(pixels, ratio)[1]
    mask = np.zeros(size, bool)
    for _ in range(6):
        lines = _lines(size, rng)
        for number in rng.permutation(np.unique(lines[lines > 0])):
            joined = mask | (lines == number)
            if np.count_nonzero(joined) <= most:
                mask = joined
            if np.count_nonzero(mask) >= aim:
                return settle(mask, ratio)
    return settle(mask, ratio)


def _lines(size: Size, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Parallel lines of letters over the whole picture: a pixel holds its line's number from 1."""
    side = min(size)
    height = max(round(side * math.exp(rng.uniform(math.log(0.07), math.log(0.3)))), 7)
    thick = int(rng.integers(0, 1 + max(height // 12, 1)))
    angle = rng.choice([0.0, rng.normal(0, 8), rng.uniform(-50, 50)])
    reach = max(size) if abs(angle) < 1 else math.ceil(math.hypot(*size))
    gap = round(height * rng.uniform(1.2, 3.0))
    font = _font(height)
    canvas = Image.new("L", (reach, reach))
    draw = ImageDraw.Draw(canvas)
    draw.fontmode = "1"
    for number, top in enumerate(range(int(rng.integers(-gap, gap)), reach, gap), start=1):
        start = int(rng.integers(-height, reach // 2))
        words = _writing(rng, (reach - start) // height)
        draw.text((start, top), words, fill=number, font=font, stroke_width=thick)
    turned = canvas.rotate(float(angle))
    across, down = (reach - size[1]) // 2, (reach - size[0]) // 2
    return np.asarray(turned.crop((across, down, across + size[1], down + size[0])))


def _writing(rng: np.random.Generator, length: int) -> str:
    letters = rng.choice(list(_LETTERS), max(int(rng.integers(2, 2 + 2 * max(length, 1))), 2))
    spaces = rng.random(len(letters)) < 0.15
    return "".join(np.where(spaces, " ", letters))


@lru_cache(maxsize=64)
def _font(height: int) -> Font:
    return ImageFont.load_default(height)
