"""Copies at full resolution, and their light."""

from __future__ import annotations

import numpy as np
import pytest

from regionwise.classical.synthesis import Synthesis
from regionwise.filling.light import Copies, copy_pixels, lit_copies
from regionwise.filling.windows import Window


def _photo(height: int, width: int) -> np.ndarray:
    rng = np.random.default_rng(0)
    return rng.integers(0, 256, (height, width, 3)).astype(np.uint8)


@pytest.mark.parametrize("scale", [1, 2, 3])
def test_pixels_are_copied_exactly(scale: int) -> None:
    color = _photo(60, 90)
    hole = np.zeros((60, 90), bool)
    hole[18:36, 54:72] = True
    rows, columns = 60 // scale, 90 // scale
    offsets = np.zeros((rows, columns, 2), np.int32)
    offsets[..., 1] = -36 // scale
    copies = Copies(
        np.ones((rows, columns), np.float32), offsets, np.zeros((rows, columns, 3), np.float32)
    )
    window = Window(0, 0, 60, 90, rows, columns)
    filled, there = copy_pixels(color, hole, hole[10:40, 50:80], 10, 50, window, copies)
    wanted = hole[10:40, 50:80]
    np.testing.assert_array_equal(there, wanted)
    np.testing.assert_allclose(filled[wanted] * 255, color[18:36, 18:36].reshape(-1, 3), atol=1e-3)
    assert (filled[~wanted] == 0).all()


def test_nothing_is_copied_out_of_a_hole() -> None:
    color = _photo(40, 40)
    hole = np.zeros((40, 40), bool)
    hole[10:30, 10:30] = True
    nothing = np.zeros((40, 40, 3), np.float32)
    copies = Copies(np.ones((40, 40), np.float32), np.zeros((40, 40, 2), np.int32), nothing)
    _, there = copy_pixels(color, hole, hole, 0, 0, Window(0, 0, 40, 40, 40, 40), copies)
    assert not there.any()


def test_copies_take_the_light_of_the_voted_fill() -> None:
    picture = np.full((50, 80, 3), 0.3, np.float32)
    picture[:, 40:] = 0.5  # the hole's side is lighter than where it is copied from
    hole = np.zeros((50, 80), bool)
    hole[15:35, 50:70] = True
    reached = np.zeros((50, 80), bool)
    reached[12:38, 47:73] = True
    offsets = np.zeros((50, 80, 2), np.int32)
    offsets[reached] = (0, -40)
    found = Synthesis(picture, offsets, reached, np.zeros((50, 80), np.float32))
    copies = lit_copies(found, hole)
    lit = picture[25, 60 - 40] + copies.light[25, 60]
    np.testing.assert_allclose(lit, 0.5, atol=0.051)  # and a bounded step from the border
