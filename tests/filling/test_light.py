"""Copies at full resolution, and their light."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import binary_dilation

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


def found_by(picture: np.ndarray, hole: np.ndarray, offsets: np.ndarray) -> Synthesis:
    reached = binary_dilation(hole, np.ones((3, 3)), iterations=3)
    offsets = np.where(reached[..., None], offsets, 0).astype(np.int32)
    return Synthesis(picture, offsets, reached, np.zeros(hole.shape, np.float32))


def lit(found: Synthesis, hole: np.ndarray) -> np.ndarray:
    """The copies in their light, all over the searched picture."""
    copies = lit_copies(found, hole)
    rows, columns = np.mgrid[: hole.shape[0], : hole.shape[1]]
    rows, columns = rows + copies.offsets[..., 0], columns + copies.offsets[..., 1]
    return np.where(hole[..., None], found.picture[rows, columns] + copies.light, found.picture)


def test_copies_take_the_light_of_where_they_come() -> None:
    grain = np.random.default_rng(0).normal(0, 0.02, (50, 80, 1)).astype(np.float32)
    picture = np.full((50, 80, 3), 0.3, np.float32) + grain
    picture[:, 40:] += 0.2  # the hole's side is lighter than where it is copied from
    hole = np.zeros((50, 80), bool)
    hole[15:35, 50:70] = True
    offsets = np.zeros((50, 80, 2))
    offsets[..., 1] = -40
    result = lit(found_by(picture, hole, offsets), hole)[15:35, 50:70]
    assert abs(result.mean() - 0.5) < 0.01
    np.testing.assert_allclose(result.std(), 0.02, rtol=0.2)


def two_copies(dark: float, light: float) -> np.ndarray:
    """A row of a fill whose left half is copied from the left, its right half from the right."""
    picture = np.full((90, 120, 3), (dark + light) / 2, np.float32)
    picture[:, :60], picture[:, 60:] = dark, light  # the voted fill has the step in the middle
    hole = np.zeros((90, 120), bool)
    hole[20:70, 40:80] = True
    offsets = np.zeros((90, 120, 2))
    offsets[:, :60, 1], offsets[:, 60:, 1] = -30, 30
    row: np.ndarray = lit(found_by(picture, hole, offsets), hole)[45, 36:84, 0]
    return row


def test_two_copies_of_unlike_light_meet_in_no_line() -> None:
    assert np.abs(np.diff(two_copies(0.47, 0.53))).max() < 0.01  # of 0.06


def test_an_edge_between_two_copies_stays() -> None:
    steps = np.abs(np.diff(two_copies(0.2, 0.7)))
    assert steps.argmax() == 60 - 36 - 1
    assert steps.max() > 0.48
