"""The measures that need no truth pixel by pixel."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import ndimage

from regionwise.evaluation.metrics.metric import FilledPicture
from regionwise.evaluation.metrics.naturalness import (
    SIDE,
    Naturalness,
    Seam,
    naturalness,
    patch_distance,
    seam,
)


def _scene() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    picture = ndimage.gaussian_filter(rng.random((3, 60, 70)), (0, 1, 1)).astype(np.float32)
    hole = np.zeros((60, 70), bool)
    hole[20:35, 25:45] = True
    return picture, hole


def test_patch_distance_against_a_slow_reference() -> None:
    picture, hole = _scene()
    hole[:] = False
    hole[20:27, 25:33] = True
    reach = SIDE // 2
    known, wanted = [], []
    for row in range(reach, 60 - reach):
        for column in range(reach, 70 - reach):
            box = np.s_[row - reach : row + reach + 1, column - reach : column + reach + 1]
            patch = picture[:, box[0], box[1]].ravel().astype(float)
            if hole[row, column]:
                wanted.append(patch)
            elif not hole[box].any():
                known.append(patch)
    distances = [np.sqrt(((np.array(known) - patch) ** 2).mean(axis=1).min()) for patch in wanted]
    assert patch_distance(picture, hole) == pytest.approx(np.mean(distances), rel=1e-4)


@pytest.mark.parametrize("corner", [(20, 25), (0, 0), (52, 61)])
def test_a_seam_against_a_slow_reference(corner: tuple[int, int]) -> None:
    picture, hole = _scene()
    hole[:] = False
    hole[corner[0] : corner[0] + 8, corner[1] : corner[1] + 9] = True  # two lie at the border

    def distance_to_border(row: int, column: int) -> int:
        """Steps from a pixel to the nearest one of the other side."""
        others = np.argwhere(hole != hole[row, column])
        return int(np.abs(others - (row, column)).max(axis=1).min())

    across, beside = [], []
    for row, column in np.ndindex(hole.shape):
        for other in ((row + 1, column), (row, column + 1)):
            if other[0] == hole.shape[0] or other[1] == hole.shape[1]:
                continue
            step = float(np.abs(picture[:, row, column] - picture[:, other[0], other[1]]).mean())
            if hole[row, column] != hole[other]:
                across.append(step)
            elif max(distance_to_border(row, column), distance_to_border(*other)) <= 4:
                beside.append(step)
    assert seam(picture, hole) == pytest.approx(np.mean(across) / np.mean(beside), rel=1e-5)


def test_more_known_pixels_are_taken_where_they_are_given() -> None:
    picture, hole = _scene()
    answer = np.where(hole, 0.5, picture).astype(np.float32)
    part = np.s_[18:37, 23:47]
    wide = FilledPicture(picture, answer, hole)
    narrow = FilledPicture(picture[:, *part], answer[:, *part], hole[part], wide)
    for metric in (Naturalness(), Seam()):
        assert metric.measure(narrow) == metric.measure(wide)


def test_the_truth_is_natural_a_blur_is_flat_and_noise_is_alien() -> None:
    picture, hole = _scene()
    noise = np.random.default_rng(1).random(picture.shape).astype(np.float32)
    blurred = ndimage.gaussian_filter(picture, (0, 6, 6))
    assert naturalness(picture, picture, hole) == 1
    assert naturalness(picture, np.where(hole, blurred, picture), hole) < 0.8
    assert naturalness(picture, np.where(hole, noise, picture), hole) > 1.5


def test_a_seam_is_a_step_at_the_border_alone() -> None:
    picture, hole = _scene()
    assert seam(picture, hole) == pytest.approx(1, abs=0.15)
    assert seam(picture + 0.3 * hole, hole) > 2
    ramp = np.broadcast_to(np.arange(70) / 70, (3, 60, 70))
    assert seam(ramp, hole) == pytest.approx(1, abs=0.2)


def test_nothing_to_measure_is_no_number() -> None:
    picture, hole = _scene()
    nothing, all_of_it = np.zeros_like(hole), np.ones_like(hole)
    assert math.isnan(patch_distance(picture, nothing))
    assert math.isnan(patch_distance(picture, all_of_it))
    assert math.isnan(seam(picture, nothing))
