"""Holes drawn by chance, for training and for benchmarks.

Every family takes a size (height, width), a random generator and, if wanted, an interval
(low, high] for the share of missing pixels, which the hole then truly meets at any size. It
returns H×W bool, True = missing. The same seed gives the same holes: chance fixes coordinates,
these are rounded to whole pixels, and only then drawn, so that the last digits of a machine's
sine make no difference.
"""

from regionwise.holes.blobs import contiguous, discontiguous
from regionwise.holes.boxes import center_square, rectangle
from regionwise.holes.cellular_automaton import aim_automaton, cellular_automaton
from regionwise.holes.mixture import FAMILIES, Family, draw_hole
from regionwise.holes.objects import removed_object, thickness_of
from regionwise.holes.ratio import Ratio, Size, pixel_counts, settle
from regionwise.holes.stored import StoredMasks
from regionwise.holes.strokes import free_form, irregular

__all__ = [
    "FAMILIES",
    "Family",
    "Ratio",
    "Size",
    "StoredMasks",
    "aim_automaton",
    "cellular_automaton",
    "center_square",
    "contiguous",
    "discontiguous",
    "draw_hole",
    "free_form",
    "irregular",
    "pixel_counts",
    "rectangle",
    "removed_object",
    "settle",
    "thickness_of",
]
