"""Poisson blending: equals its definition, loses a step of light, keeps details."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.tiny_networks import write_constant

from regionwise import fill
from regionwise.classical.poisson import integrate, poisson_blend
from regionwise.cli import main
from regionwise.engines.engine import NO_TRAITS
from regionwise.engines.poisson_blended import PoissonBlendedEngine
from regionwise.errors import RegionwiseError


def literal(image, answer, hole):
    """The sum of squares, pair by pair, by least squares; pixels without any known stay free."""
    height, width = hole.shape
    places = {place: n for n, place in enumerate(zip(*np.nonzero(hole), strict=True))}
    rows, values = [], []
    for (i, j), n in places.items():
        for di, dj in ((0, 1), (1, 0), (0, -1), (-1, 0)):
            k, m = i + di, j + dj
            if not (0 <= k < height and 0 <= m < width):
                continue
            row = np.zeros(len(places))
            row[n] = 1
            if (k, m) in places:
                row[places[k, m]] = -1
                rows.append(row * np.sqrt(0.5))  # this pair comes twice
                values.append((answer[:, i, j] - answer[:, k, m]) * np.sqrt(0.5))
            else:
                rows.append(row)
                values.append(image[:, k, m])
    solution = np.linalg.lstsq(np.array(rows), np.array(values), rcond=None)[0]
    result = image.copy()
    for place, n in places.items():
        result[(slice(None), *place)] = solution[n]
    return result


@settings(max_examples=20, deadline=None)
@given(height=st.integers(1, 7), width=st.integers(1, 7), seed=st.integers(0, 99))
def test_equals_the_sum_of_squares(height, width, seed):
    rng = np.random.default_rng(seed)
    hole = rng.random((height, width)) < 0.6
    hole.flat[0], hole.flat[-1] = True, height * width == 1
    image, answer = rng.random((2, 3, height, width), np.float32)
    blended = poisson_blend(image, answer, hole)
    if hole.all():
        assert np.array_equal(blended, answer)
    else:
        np.testing.assert_allclose(blended, literal(image, answer, hole), atol=2e-3)


@settings(max_examples=20, deadline=None)
@given(height=st.integers(1, 7), width=st.integers(1, 7), seed=st.integers(0, 99))
def test_differences_integrate_to_the_least_squares_picture(height, width, seed):
    rng = np.random.default_rng(seed)
    hole = rng.random((height, width)) < 0.6
    picture, right, down = rng.random((3, height, width, 2), np.float32)
    found = integrate(right, down, hole, picture, share=0.05, tolerance=1e-6, rounds=500)
    rows, values = [], []
    numbers = np.arange(height * width).reshape(height, width)
    for place in np.ndindex(height, width):
        for step, wanted in (((0, 1), right), ((1, 0), down)):
            other = place[0] + step[0], place[1] + step[1]
            if other[0] < height and other[1] < width and (hole[place] or hole[other]):
                row = np.zeros(height * width)
                row[numbers[other]], row[numbers[place]] = 1, -1
                rows.append(row)
                values.append(wanted[place])
        weight = np.sqrt(0.05) if hole[place] else 1e4
        rows.append(weight * np.eye(height * width)[numbers[place]])
        values.append(weight * picture[place])
    solution = np.linalg.lstsq(np.array(rows), np.array(values), rcond=None)[0]
    np.testing.assert_allclose(found, solution.reshape(height, width, 2), atol=2e-3)


def test_another_light_is_taken_off_and_details_stay():
    rng = np.random.default_rng(0)
    image = rng.random((3, 48, 48), np.float32) * 0.1 + 0.4
    hole = np.zeros((48, 48), bool)
    hole[10:38, 6:40] = True
    darker = image - 0.3
    blended = poisson_blend(image, darker, hole)
    assert np.abs(blended - image).max() < 0.15  # each pixel of the border is noise, too
    assert np.abs((blended - image)[:, 15:33, 11:35]).max() < 0.05
    assert np.array_equal(blended[:, ~hole], image[:, ~hole])


def test_engine_sees_no_answer_at_known_pixels():
    class Answers:
        traits = NO_TRAITS

        def fill(self, images, masks):
            return np.where(masks > 0, 0.2, np.nan).astype(np.float32) + 0 * images

    images = np.full((2, 3, 12, 9), 0.7, np.float32)
    masks = np.zeros((2, 1, 12, 9), np.float32)
    masks[:, :, 3:8, 2:7] = 1
    np.testing.assert_allclose(
        PoissonBlendedEngine(Answers()).fill(images, masks), images, atol=1e-4
    )


def test_command_and_python(tmp_path):
    photo = np.full((40, 40, 3), 180, np.uint8)
    model = write_constant(tmp_path / "black.onnx", 0.0)
    plain = fill(photo, box=(10, 10, 12, 12), model=model)
    blended = fill(photo, box=(10, 10, 12, 12), model=model, blend="poisson")
    assert plain[16, 16, 0] < 5
    assert abs(int(blended[16, 16, 0]) - 180) <= 1
    with pytest.raises(RegionwiseError, match="blend can't be 'alpha'; give none, poisson"):
        fill(photo, box=(10, 10, 12, 12), model=model, blend="alpha")
    assert main(["fill", str(tmp_path / "no.png"), "--blend", "alpha"]) == 2
