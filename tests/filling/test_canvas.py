import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import distance_transform_edt

from regionwise.filling.canvas import Canvas, fade_in, feathered, read_window
from regionwise.filling.windows import HoleGroup, Window, plan_windows


def whole(height: int, width: int, rows: int = 0, columns: int = 0) -> Window:
    return Window(0, 0, height, width, rows or height, columns or width)


def random_photo(*size: int, dtype: type = np.uint8) -> np.ndarray:
    return np.random.default_rng(3).integers(0, np.iinfo(dtype).max + 1, (*size, 3), dtype)


def shrunken_by_pixels(
    color: np.ndarray, missing: np.ndarray, rows: int, columns: int
) -> tuple[np.ndarray, np.ndarray]:
    """Means of the known pixels of each block, block by block."""
    height, width = missing.shape
    image = np.zeros((3, rows, columns))
    mask = np.zeros((1, rows, columns))
    for row in range(rows):
        for column in range(columns):
            block = (
                slice(row * height // rows, (row + 1) * height // rows),
                slice(column * width // columns, (column + 1) * width // columns),
            )
            known = ~missing[block]
            if known.mean() < 0.5:
                mask[0, row, column] = 1
            else:
                image[:, row, column] = color[block][known].mean(axis=0) / np.iinfo(color.dtype).max
    return image, mask


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_a_window_is_read_at_full_resolution_without_what_the_hole_holds(dtype: type) -> None:
    color = random_photo(40, 50, dtype=dtype)
    hole = np.zeros((40, 50), bool)
    hole[10:20, 10:30] = True
    image, mask = read_window(color, hole, Window(5, 8, 30, 40, 30, 40))
    assert image.dtype == mask.dtype == np.float32
    expected = color[5:35, 8:48].transpose(2, 0, 1) / np.iinfo(dtype).max
    known = ~hole[5:35, 8:48]
    np.testing.assert_allclose(image[:, known], expected[:, known], atol=1e-6)
    assert np.all(image[:, ~known] == 0)
    assert np.array_equal(mask[0], ~known)


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 90), st.integers(1, 90), st.floats(0, 1), st.data())
def test_a_shrunken_window_is_the_mean_of_known_pixels(
    height: int, width: int, ratio: float, data: st.DataObject
) -> None:
    rows, columns = data.draw(st.integers(1, height)), data.draw(st.integers(1, width))
    color = random_photo(height, width)
    hole = np.random.default_rng(height).random((height, width)) < ratio
    window = whole(height, width, rows, columns)
    image, mask = read_window(color, hole, window)
    expected_image, expected_mask = shrunken_by_pixels(color, hole, rows, columns)
    np.testing.assert_array_equal(mask, expected_mask)
    np.testing.assert_allclose(image, expected_image, atol=1e-5)


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 40), st.integers(1, 40), st.floats(0, 1), st.floats(0.5, 12))
def test_a_feather_rises_with_the_distance_and_only_inside_the_hole(
    height: int, width: int, ratio: float, feather: float
) -> None:
    missing = np.random.default_rng(width).random((height, width)) < ratio
    missing[: height // 2, : width // 2] = True
    strength = fade_in(missing, feather)
    assert strength.dtype == np.float32
    assert np.all(strength[~missing] == 0)
    assert np.all(strength[missing] > 0)
    if missing.all():
        return
    distance = distance_transform_edt(missing)
    assert np.all(strength[distance > 1.1 * feather + 2] == 1)
    if missing.any() and feather >= 2:
        assert np.all(strength[distance == 1] < 0.5)


def test_feathered_meets_the_known_border_and_keeps_the_inside() -> None:
    known = np.full((3, 40, 40), 0.2, np.float32)
    missing = np.zeros((40, 40), bool)
    missing[10:30, 10:30] = True
    answer = np.full((3, 40, 40), 0.8, np.float32)
    mixed = feathered(answer, known, missing, feather=4)
    composed = np.where(missing[20], mixed[0, 20], known[0, 20])
    steps = np.diff(composed[8:21])
    assert steps.max() < 0.2  # a hard edge would step by 0.6
    assert np.all(steps > -1e-6)
    assert mixed[0, 20, 20] == pytest.approx(0.8)
    hard = feathered(answer, known, missing, feather=0)
    assert np.array_equal(hard, answer)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_a_canvas_changes_hole_pixels_only(dtype: type) -> None:
    color = random_photo(300, 200, dtype=dtype)
    hole = np.zeros((300, 200), bool)
    hole[:50, 40:90] = hole[120:290, 0:200:3] = True
    before = color.copy()
    for group in plan_windows(hole, 64):
        canvas = Canvas(color, hole, group, feather=None)
        for window in group.windows:
            canvas.paint(window, np.ones((3, window.rows, window.columns), np.float32))
        box = color[group.top :, group.left :][: group.hole.shape[0], : group.hole.shape[1]]
        assert canvas.color.dtype == dtype
        assert np.array_equal(canvas.color[~group.hole], box[~group.hole])
    assert np.array_equal(color, before)


def test_a_full_strength_answer_is_rounded_to_the_nearest_value() -> None:
    hole = np.ones((4, 4), bool)
    group = HoleGroup(0, 0, hole, (whole(4, 4),))
    canvas = Canvas(np.zeros((4, 4, 3), np.uint8), hole, group, feather=0)
    answer = np.array([-0.1, 0.4 / 255, 0.6 / 255, 1.2], np.float32)
    canvas.paint(whole(4, 4), np.broadcast_to(answer, (3, 4, 4)))
    assert canvas.color[0, :, 0].tolist() == [0, 0, 1, 255]


def test_windows_that_disagree_leave_no_seam() -> None:
    hole = np.zeros((300, 2000), bool)
    hole[140:160] = True
    (group,) = plan_windows(hole, 256)
    assert len(group.windows) > 5
    color = np.full((300, 2000, 3), 128, np.uint8)
    canvas = Canvas(color, hole, group, feather=0)
    for number, window in enumerate(group.windows):
        level = np.float32(0.2 if number % 2 else 0.8)
        canvas.paint(window, np.full((3, window.rows, window.columns), level))
    row = canvas.color[10, :, 0].astype(int)
    assert row.min() < 70
    assert row.max() > 190
    assert np.abs(np.diff(row)).max() <= 6  # of a difference of 153 between neighbours


def test_windows_that_agree_are_exact_wherever_they_overlap() -> None:
    hole = np.zeros((900, 900), bool)
    hole[100:800:9] = True
    (group,) = plan_windows(hole, 256)
    color = random_photo(900, 900)
    canvas = Canvas(color, hole, group, feather=0)
    for window in group.windows:
        canvas.paint(window, np.full((3, window.rows, window.columns), np.float32(77 / 255)))
    assert np.all(canvas.color[group.hole] == 77)


def test_an_answer_is_enlarged_to_its_place() -> None:
    hole = np.ones((600, 900), bool)
    window = whole(600, 900, 100, 150)
    canvas = Canvas(
        np.zeros((600, 900, 3), np.uint8), hole, HoleGroup(0, 0, hole, (window,)), feather=0
    )
    ramp = np.linspace(0.5 / 150, 1 - 0.5 / 150, 150, dtype=np.float32)
    canvas.paint(window, np.broadcast_to(ramp, (3, 100, 150)))
    expected = (np.arange(900) + 0.5) / 900 * 255
    inner = slice(6, -6)  # bicubic interpolation bends the very ends
    np.testing.assert_allclose(canvas.color[300, inner, 1], expected[inner], atol=0.6)
