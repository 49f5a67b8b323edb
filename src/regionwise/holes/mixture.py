"""The families by name, and a hole of one of them by weight."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from regionwise.arrays import Mask
from regionwise.errors import DataError
from regionwise.holes.blobs import contiguous, discontiguous
from regionwise.holes.boxes import center_square, rectangle
from regionwise.holes.cellular_automaton import aim_automaton, cellular_automaton
from regionwise.holes.marks import scratches, text
from regionwise.holes.ratio import Ratio, Size, pixel_counts, settle
from regionwise.holes.silhouettes import silhouette
from regionwise.holes.strokes import free_form, irregular

Family = Callable[[Size, np.random.Generator, "Ratio | None"], Mask]

FAMILIES: dict[str, Family] = {
    "center-square": center_square,
    "rectangle": rectangle,
    "free-form": free_form,
    "irregular": irregular,
    "cellular-automaton": cellular_automaton,
    "aim-automaton": aim_automaton,
    "contiguous": contiguous,
    "discontiguous": discontiguous,
    "silhouette": silhouette,
    "scratches": scratches,
    "text": text,
}


def draw_hole(
    size: Size,
    rng: np.random.Generator,
    mixture: Mapping[str, float],
    ratio: Ratio | None = None,
    margin: float = 0.0,
    families: Mapping[str, Family] = FAMILIES,
) -> Mask:
    """A hole of a family drawn by weight.

    Args:
        size: height and width of the picture.
        rng: where chance comes from.
        mixture: weight of each family by name.
        ratio: interval (low, high] of the share of missing pixels; each family has its own if none.
        margin: share of each side that stays known at either end, so that no hole touches the
            border; the half of the NVIDIA test masks that does not touch it has 50/512.
        families: what the names mean; add `StoredMasks` here.

    Raises:
        DataError: a name is unknown, no weight is positive, or the ratio can't be met.
    """
    names = sorted(mixture)
    if unknown := [name for name in names if name not in families]:
        raise DataError(f"no hole family {unknown[0]!r}; there are {', '.join(families)}")
    weights = np.array([mixture[name] for name in names], float)
    if not (weights >= 0).all() or not weights.sum() > 0:
        raise DataError(
            "a mixture of holes needs weights that are not negative, one of them above 0"
        )
    family = families[names[rng.choice(len(names), p=weights / weights.sum())]]
    if margin <= 0:
        return family(size, rng, ratio)
    return _inside(size, rng, family, ratio, margin)


def _inside(
    size: Size, rng: np.random.Generator, family: Family, ratio: Ratio | None, margin: float
) -> Mask:
    """A hole of the family, drawn on the part of the picture inside the margin."""
    top, left = (max(round(margin * side), 1) for side in size)
    inner = (size[0] - 2 * top, size[1] - 2 * left)
    if min(inner) < 1:
        raise DataError(f"a margin of {margin} leaves nothing of {size[0]}×{size[1]} pixels")
    mask = np.zeros(size, bool)
    room = mask.copy()
    within = (slice(top, top + inner[0]), slice(left, left + inner[1]))
    room[within] = True
    if ratio is None:
        mask[within] = family(inner, rng, None)
        return mask
    area = inner[0] * inner[1]
    fewest, most = pixel_counts(mask.size, ratio)
    if fewest <= area:
        mask[within] = family(inner, rng, ((fewest - 1) / area, min(most / area, 1.0)))
    return settle(mask, ratio, room)
