"""Detail for thick holes: pictures whose truth is known, photos of all kinds, and no leak."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from regionwise.engines.classical_engine import MembraneEngine
from regionwise.engines.engine import Traits
from regionwise.evaluation.metrics.sharpness import gradient_energy
from regionwise.filling.detail import DetailOptions, Series, with_detail
from regionwise.filling.fill_photo import fill_photo
from regionwise.filling.options import FillOptions
from regionwise.filling.windows import HoleGroup
from regionwise.photos.reading import read_photo


def stripes(height: int, width: int, dtype: type = np.uint8) -> np.ndarray:
    """Slanted stripes, 14 pixels from one to the next, with grain: H×W×3."""
    y, x = np.mgrid[:height, :width]
    wave = 0.5 + 0.35 * np.sin(2 * np.pi * (x + 0.5 * y) / 14)
    grain = np.random.default_rng(0).normal(0, 0.04, (height, width))
    grey = np.clip(wave + grain, 0, 1)[..., None] * np.array([1, 0.8, 0.6])
    return np.rint(grey * np.iinfo(dtype).max).astype(dtype)


def box(height: int, width: int, top: int, left: int, rows: int, columns: int) -> np.ndarray:
    hole = np.zeros((height, width), bool)
    hole[top : top + rows, left : left + columns] = True
    return hole


def fill(pixels: np.ndarray, hole: np.ndarray, large: str = "detail", **options: int) -> np.ndarray:
    """Filled by the membrane: what texture there is comes of the detail."""
    photo = read_photo(pixels)
    return fill_photo(photo, hole, MembraneEngine(), FillOptions(large=large, **options)).color


def texture(filled: np.ndarray, truth: np.ndarray, hole: np.ndarray) -> float:
    """Gradient energy in the hole, as a share of the truth's."""
    energies = [gradient_energy(x.transpose(2, 0, 1) / 255, hole) for x in (filled, truth)]
    return energies[0] / energies[1]


def test_a_large_hole_gets_the_texture_round_it() -> None:
    truth, hole = stripes(800, 900), box(800, 900, 200, 250, 380, 380)
    detailed, plain = fill(truth, hole), fill(truth, hole, "window")
    assert texture(plain, truth, hole) < 0.05
    assert 0.7 < texture(detailed, truth, hole) < 1.2
    np.testing.assert_array_equal(detailed[~hole], truth[~hole])
    error = np.abs(detailed.astype(float) - truth)[hole].mean()
    assert error < 0.5 * np.abs(plain.astype(float) - truth)[hole].mean()


class Soft(MembraneEngine):
    """What the bundled networks are, as far as detail goes."""

    traits = Traits(detail="judged")


@pytest.mark.parametrize("width", [300, 500, 700])
@pytest.mark.parametrize(("engine", "detailed"), [(Soft(), True), (MembraneEngine(), False)])
def test_detail_is_for_bundled_networks_in_photos_of_all_sizes(
    engine: MembraneEngine, width: int, detailed: bool
) -> None:
    truth, hole = stripes(400, width), box(400, width, 120, 80, 160, 160)
    auto, plain = (
        fill_photo(read_photo(truth), hole, engine, FillOptions(large=large)).color
        for large in ("auto", "window")
    )
    assert np.array_equal(auto, plain) is not detailed


def test_the_judge_holds_back_where_little_is_known_and_the_word_sharp_does_not() -> None:
    truth = np.random.default_rng(5).integers(0, 256, (300, 300, 3), np.uint8)
    hole = box(300, 300, 20, 20, 260, 260)
    judged, always, plain = (
        fill_photo(read_photo(truth), hole, Soft(), FillOptions(large=large)).color
        for large in ("auto", "detail", "window")
    )
    assert texture(plain, truth, hole) < texture(judged, truth, hole) < 0.5
    assert texture(always, truth, hole) > 1.5 * texture(judged, truth, hole)


def test_a_smooth_picture_stays_nearly_smooth() -> None:
    y, x = np.mgrid[:400, :400]
    truth = np.stack([80 + 0.1 * x, 90 + 0.08 * y, 160 - 0.05 * x], axis=2).astype(np.uint8)
    hole = box(400, 400, 120, 110, 160, 150)
    filled = fill(truth, hole).astype(int)
    assert np.abs(filled - truth).max() <= 20
    assert max(np.abs(np.diff(filled, axis=axis)).max() for axis in (0, 1)) <= 16


def test_the_seed_decides() -> None:
    truth, hole = stripes(300, 311), box(300, 311, 80, 75, 140, 151)
    truth[::3] //= 2
    first = fill(truth, hole, seed=1)
    np.testing.assert_array_equal(first, fill(truth, hole, seed=1))
    assert np.any(first != fill(truth, hole, seed=2))


@pytest.mark.parametrize("scratch", [False, True])
def test_nothing_of_the_hole_is_seen(scratch: bool) -> None:
    truth, hole = stripes(480, 480), box(480, 480, 110, 100, 240, 240)
    if scratch:  # thinner than a pixel at the scale of the search, which counts as known there
        hole[:, 60] = hole[77] = True
        hole[230, 340:440] = True
    changed = truth.copy()
    changed[hole] = 255 - changed[hole]
    np.testing.assert_array_equal(fill(truth, hole), fill(changed, hole))


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize(
    "place", [(0, 0, 201, 190), (100, 0, 150, 335), (130, 120, 181, 215), (0, 0, 381, 300)]
)
def test_holes_at_the_border_and_odd_sizes(
    place: tuple[int, int, int, int], dtype: type[np.generic]
) -> None:
    truth = stripes(381, 335, dtype)
    hole = box(381, 335, *place)
    filled = fill(truth, hole)
    assert filled.dtype == dtype
    np.testing.assert_array_equal(filled[~hole], truth[~hole])


def test_a_grey_photo_stays_grey() -> None:
    grey, hole = stripes(400, 400)[..., 0], box(400, 400, 120, 130, 160, 150)
    filled = fill_photo(read_photo(grey), hole, MembraneEngine(), FillOptions()).color
    assert np.ptp(filled.astype(int), axis=2).max() == 0
    np.testing.assert_array_equal(filled[~hole][:, 0], grey[~hole])


@pytest.mark.parametrize("frame", [0, 3])
def test_where_too_little_is_known_the_guide_stays(frame: int) -> None:
    truth, hole = stripes(300, 310), np.zeros((300, 310), bool)
    hole[frame : 300 - frame, frame : 310 - frame] = True
    np.testing.assert_array_equal(fill(truth, hole), fill(truth, hole, "window"))


def test_a_scratch_is_searched_in_pieces_at_full_resolution() -> None:
    truth, hole = stripes(300, 1500), box(300, 1500, 140, 5, 14, 1480)
    filled = fill(truth, hole)
    assert texture(filled, truth, hole) > 0.5
    np.testing.assert_array_equal(filled[~hole], truth[~hole])


def test_pieces_leave_no_line_between_them() -> None:
    truth, hole = stripes(400, 1300), box(400, 1300, 140, 100, 100, 1100)
    filled = fill(truth, hole).astype(float)
    steps = np.abs(np.diff(filled.mean(axis=2), axis=1))[140:240, 100:1199].mean(axis=0)
    assert steps.max() < 1.6 * np.median(steps)


def test_what_lies_far_away_changes_nothing() -> None:
    truth, hole = stripes(1000, 1200), box(1000, 1200, 500, 600, 120, 130)
    filled = fill(truth, hole)[500:620, 600:730]
    rows, columns = slice(250, 900), slice(330, 1000)
    cut = fill(truth[rows, columns].copy(), hole[rows, columns])
    np.testing.assert_array_equal(cut[250:370, 270:400], filled)


@pytest.mark.parametrize("grain", [0, 6])
def test_a_series_is_steadier_than_frames_alone(grain: int) -> None:
    numbers = np.random.default_rng(3)
    hole = box(200, 220, 70, 80, 60, 70)
    base = numbers.integers(0, 256, (25, 28, 3)).repeat(8, axis=0).repeat(8, axis=1)[:200, :220]
    frames = [
        np.clip(base + numbers.normal(0, grain, base.shape), 0, 255).astype(np.uint8)
        for _ in range(4)
    ]
    options = [FillOptions(large="detail", seed=number) for number in range(4)]
    series = Series()

    def flicker(steady: Series | None) -> float:
        fills = [
            fill_photo(read_photo(frame), hole, MembraneEngine(), option, series=steady).color
            for frame, option in zip(frames, options, strict=True)
        ]
        return float(np.abs(np.diff(np.stack(fills).astype(float), axis=0))[:, hole].mean())

    together, alone = flicker(series), flicker(None)
    assert together < 0.6 * alone
    if not grain:
        assert together < 0.3  # the first frame alone is searched


def test_a_series_forgets_at_a_cut() -> None:
    hole = box(300, 300, 100, 100, 90, 90)
    first, second = stripes(300, 300), np.ascontiguousarray(stripes(300, 300).transpose(1, 0, 2))
    series, options = Series(), FillOptions(large="detail")
    for pixels in (first, second):
        filled = fill_photo(read_photo(pixels), hole, MembraneEngine(), options, series=series)
    alone = fill_photo(read_photo(second), hole, MembraneEngine(), options)
    np.testing.assert_array_equal(filled.color, alone.color)


def test_progress_reaches_into_the_search_and_what_it_raises_ends_it() -> None:
    truth, hole = stripes(700, 900), box(700, 900, 200, 250, 200, 300)
    told: list[float] = []

    def stop(share: float) -> None:
        told.append(share)
        if share > 0.6:
            raise TimeoutError

    with pytest.raises(TimeoutError):
        fill_photo(
            read_photo(truth), hole, MembraneEngine(), FillOptions(large="detail"), progress=stop
        )
    assert told == sorted(told)
    assert len([share for share in told if share > 0.35]) > 5


@settings(max_examples=15, deadline=None)
@given(st.integers(1, 90), st.integers(1, 90), st.integers(0, 2**31))
def test_any_hole_changes_only_itself(height: int, width: int, seed: int) -> None:
    numbers = np.random.default_rng(seed)
    truth = numbers.integers(0, 256, (height, width, 3), np.uint8)
    top, left = numbers.integers(0, height), numbers.integers(0, width)
    hole = np.zeros((height, width), bool)
    hole[top : numbers.integers(top, height) + 1, left : numbers.integers(left, width) + 1] = True
    hole |= numbers.random((height, width)) < 0.02
    filled = np.full_like(truth, 128)
    filled[~hole] = truth[~hole]
    result = with_detail(truth, hole, HoleGroup(0, 0, hole, ()), filled, DetailOptions("always"))
    np.testing.assert_array_equal(result[~hole], truth[~hole])
