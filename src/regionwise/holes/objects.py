"""Holes as large as things that people take out of photos, told by their thickness in pixels."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from scipy.ndimage import distance_transform_edt

from regionwise.arrays import Mask
from regionwise.errors import DataError
from regionwise.holes.blobs import star_outlines
from regionwise.holes.ratio import Size
from regionwise.holes.silhouettes import body_with_limbs

_MOST_OF_SIDE = 0.45
"""Thickness at most, as a share of the picture's shorter side: the rest is needed to fill from."""
_MARGIN = 0.03
"""Share of the shorter side that stays known at each border."""
_TRIES = 20


def removed_object(size: Size, rng: np.random.Generator, thickness: tuple[float, float]) -> Mask:
    """One blob or one body with limbs that touches no border; of either kind by equal chance.

    Args:
        size: height and width of the picture.
        rng: where chance comes from.
        thickness: interval of the diameter, in pixels, of the largest disc inside the hole; in a
            small picture its upper end is 45 % of the shorter side.

    Returns:
        H×W bool.

    Raises:
        DataError: if the picture is too small for the lower end.
    """
    low, high = thickness[0], min(thickness[1], _MOST_OF_SIDE * min(size))
    if high < low:
        raise DataError(
            f"an object of {low:g} pixels or more is too thick for a picture of "
            f"{size[1]}×{size[0]}: take larger photos"
        )
    margin = max(round(_MARGIN * min(size)), 1)
    room = (size[0] - 2 * margin, size[1] - 2 * margin)
    aim = rng.uniform(low, high)
    draw = _blob if rng.random() < 0.5 else body_with_limbs
    shape = next(
        (
            mask
            for mask in (_drawn_to_thickness(draw(rng), aim) for _ in range(_TRIES))
            if mask.shape[0] <= room[0] and mask.shape[1] <= room[1]
        ),
        _disc(aim),
    )
    top, left = (
        margin + int(rng.integers(0, space - side + 1))
        for space, side in zip(room, shape.shape, strict=True)
    )
    mask = np.zeros(size, bool)
    mask[top : top + shape.shape[0], left : left + shape.shape[1]] = shape
    return mask


def thickness_of(mask: Mask) -> float:
    """Diameter of the largest disc inside a hole, in pixels; what lies outside is known."""
    return float(2 * distance_transform_edt(np.pad(mask, 1)).max() - 1)


def _blob(rng: np.random.Generator) -> NDArray[np.float64]:
    return star_outlines(rng, 1, vertices=72, waves=6)


def _disc(diameter: float) -> Mask:
    radius = max(int(diameter / 2), 1)
    row, column = np.mgrid[-radius : radius + 1, -radius : radius + 1]
    return np.asarray(row**2 + column**2 <= radius**2)


def _drawn_to_thickness(outlines: NDArray[np.float64], aim: float) -> Mask:
    """The polygons drawn together, as large as gives the thickness, in their bounding box."""
    scale = aim / 2
    for _ in range(6):
        mask = _drawn(np.rint(scale * outlines).astype(int))
        found = thickness_of(mask)
        if abs(found - aim) < 1:
            break
        scale *= aim / found
    return mask


def _drawn(polygons: NDArray[np.int_]) -> Mask:
    low = polygons.min(axis=(0, 1))
    width, height = (polygons.max(axis=(0, 1)) - low + 1).tolist()
    canvas = Image.new("L", (width, height))
    draw = ImageDraw.Draw(canvas)
    for polygon in polygons - low:
        draw.polygon(polygon.ravel().tolist(), fill=1)
    return np.array(canvas, bool)
