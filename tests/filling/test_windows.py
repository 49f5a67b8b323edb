import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import distance_transform_edt

from regionwise.filling.windows import HoleGroup, hole_thickness, plan_windows


def disc(size: tuple[int, int], middle: tuple[int, int], radius: float) -> np.ndarray:
    rows, columns = np.ogrid[: size[0], : size[1]]
    return (rows - middle[0]) ** 2 + (columns - middle[1]) ** 2 < radius**2


def exact_thickness(hole: np.ndarray) -> float:
    return 2 * float(distance_transform_edt(hole).max())


def union_of_groups(groups: list[HoleGroup], size: tuple[int, int]) -> np.ndarray:
    count = np.zeros(size, int)
    for group in groups:
        height, width = group.hole.shape
        count[group.top : group.top + height, group.left : group.left + width] += group.hole
    return count


@st.composite
def holes(draw: st.DrawFn) -> np.ndarray:
    """Masks of up to 400×400 with rectangles and dust: empty, full, at the border, all of them."""
    size = draw(st.tuples(st.integers(1, 400), st.integers(1, 400)))
    hole = np.zeros(size, bool)
    for _ in range(draw(st.integers(0, 4))):
        top, left = (draw(st.integers(0, side - 1)) for side in size)
        hole[top : top + draw(st.integers(1, 300)), left : left + draw(st.integers(1, 300))] = True
    dust = draw(st.sampled_from([0.0, 0.0005, 0.02, 1.0]))
    return hole | (np.random.default_rng(draw(st.integers(0, 99))).random(size) < dust)


@settings(max_examples=150, deadline=None)
@given(holes())
def test_each_hole_pixel_is_in_one_group_and_in_a_window_inside_the_photo(hole: np.ndarray) -> None:
    view = 64
    groups = plan_windows(hole, view)
    assert np.array_equal(union_of_groups(groups, hole.shape), hole.astype(int))
    for group in groups:
        seen = np.zeros(hole.shape, bool)
        for window in group.windows:
            assert 0 <= window.top <= hole.shape[0] - window.height
            assert 0 <= window.left <= hole.shape[1] - window.width
            assert 1 <= window.rows <= min(view, window.height)
            assert 1 <= window.columns <= min(view, window.width)
            seen[window.slices] = True
        height, width = group.hole.shape
        box = seen[group.top : group.top + height, group.left : group.left + width]
        assert box[group.hole].all()


@settings(max_examples=100, deadline=None)
@given(holes())
def test_each_hole_pixel_has_context_in_some_window(hole: np.ndarray) -> None:
    view, context = 64, 8
    size = np.array(hole.shape)
    for group in plan_windows(hole, view):
        deep = np.zeros(hole.shape, bool)
        for window in group.windows:
            start = np.array([window.top, window.left])
            stop = start + np.array([window.height, window.width])
            low = np.where(start > 0, start + context - 1, 0)  # one pixel is lost in halving
            high = np.where(stop < size, stop - context + 1, size)
            deep[low[0] : high[0], low[1] : high[1]] = True
        height, width = group.hole.shape
        box = deep[group.top : group.top + height, group.left : group.left + width]
        assert box[group.hole].all()


def test_a_photo_that_fits_the_view_is_one_window() -> None:
    hole = disc((512, 512), (100, 100), 20) | disc((512, 512), (450, 450), 20)
    (group,) = plan_windows(hole)
    (window,) = group.windows
    assert (window.top, window.left, window.height, window.width) == (0, 0, 512, 512)
    assert not window.shrunk


def test_a_small_hole_in_a_large_photo_gets_one_small_window() -> None:
    hole = np.zeros((4000, 6000), bool)
    hole[2000:2100, 3000:3100] = True
    (group,) = plan_windows(hole)
    (window,) = group.windows
    assert (window.height, window.width) == (window.rows, window.columns) == (256, 256)
    assert window.top <= 2000 - 64
    assert window.top + window.height >= 2100 + 64


def test_near_holes_are_one_group_and_far_ones_are_not() -> None:
    hole = np.zeros((2000, 2000), bool)
    hole[500:510, 500:510] = hole[520:530, 540:550] = hole[1500:1510, 1500:1510] = True
    assert len(plan_windows(hole)) == 2


def test_a_long_thin_scratch_is_filled_at_full_resolution() -> None:
    rows, columns = np.ogrid[:3000, :4500]
    hole = np.abs(rows - columns * 2 / 3) < 6
    (group,) = plan_windows(hole)
    assert len(group.windows) > 8
    assert not any(window.shrunk for window in group.windows)
    seen = sum(window.rows * window.columns for window in group.windows)
    assert seen < 0.4 * hole.size


def test_a_thick_hole_is_seen_small_with_room_round_it() -> None:
    hole = disc((3000, 4000), (1500, 2000), 700)
    (group,) = plan_windows(hole)
    (window,) = group.windows
    assert window.rows == window.columns == 512
    assert window.height == pytest.approx(2 * 1400, rel=0.05)


def test_a_hole_as_thick_as_half_the_view_is_not_shrunk() -> None:
    hole = disc((1500, 1500), (700, 700), 120)
    assert not plan_windows(hole)[0].windows[0].shrunk


def test_a_photo_that_is_all_hole_is_shown_as_a_whole() -> None:
    (group,) = plan_windows(np.ones((900, 1500), bool))
    (window,) = group.windows
    assert (window.height, window.width) == (900, 1500)
    assert max(window.rows, window.columns) == 512


def test_no_hole_no_window() -> None:
    assert plan_windows(np.zeros((2000, 30), bool)) == []


@pytest.mark.parametrize("radius", [150, 300, 500])
def test_thickness_is_near_the_exact_one(radius: int) -> None:
    hole = disc((1400, 1500), (650, 720), radius)
    hole[:, 700:705] = True  # long does not count
    assert hole_thickness(hole, hole, 0, 0) == pytest.approx(exact_thickness(hole), abs=17)


def test_a_hole_along_the_border_counts_twice() -> None:
    hole = np.zeros((1000, 1000), bool)
    hole[-200:, 100:900] = True
    part = hole[-200:, 100:900]
    assert hole_thickness(hole, part, 800, 100) == pytest.approx(400, abs=17)


def test_small_photos_and_small_holes_do_without_scipy() -> None:
    code = (
        "import sys, numpy as np\n"
        "from regionwise.filling.windows import plan_windows\n"
        "hole = np.zeros((512, 512), bool); hole[10:300, 20:400] = True; plan_windows(hole)\n"
        "hole = np.zeros((3000, 2000), bool); hole[1000:1100, 50:150] = True; plan_windows(hole)\n"
        "sys.exit('scipy' in sys.modules)\n"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
