"""The search of one scale, against slow references."""

from __future__ import annotations

import numpy as np
import pytest

from regionwise.classical.patch_search import RADIUS, Grid, PatchSearch, known_patches


def _ticked() -> None:
    """A progress that nobody looks at."""


def _scene(height: int = 37, width: int = 45) -> tuple[np.ndarray, np.ndarray]:
    """Columns of random colours, so that patches live in few dimensions, and a hole."""
    rng = np.random.default_rng(3)
    picture = np.zeros((height, width, 4), np.float32)
    picture[..., :3] = rng.random((1, width, 1)).astype(np.float32)
    hole = np.zeros((height, width), bool)
    hole[12:21, 17:26] = True
    return picture, hole


def _search(picture: np.ndarray, hole: np.ndarray, weight: float = 0) -> PatchSearch:
    return PatchSearch(picture, hole, weight, np.random.default_rng(0), _ticked)


def _patch(picture: np.ndarray, place: int) -> np.ndarray:
    padded = np.pad(picture, ((RADIUS, RADIUS), (RADIUS, RADIUS), (0, 0)), mode="edge")
    row, column = divmod(place, padded.shape[1])
    return padded[
        row - RADIUS : row + RADIUS + 1, column - RADIUS : column + RADIUS + 1, :3
    ].astype(float)


def _distance(a: np.ndarray, b: np.ndarray) -> float:
    """Mean squared difference of patches, in which a difference of the means counts less."""
    means = (a - b).mean(axis=(0, 1))
    return float(((a - b - means) ** 2).mean() + 0.75**2 * (means**2).mean())


def test_prices_are_mean_squared_differences() -> None:
    picture, hole = _scene()
    search = _search(picture, hole)
    search.aim(search.describe_targets(picture))
    for number in range(0, len(search.targets), 17):
        wanted = _patch(picture, search.targets[number])
        found = _patch(picture, search.sources[number])
        assert search.prices[number] == pytest.approx(_distance(wanted, found), abs=2e-6)


def test_prices_never_exceed_the_true_distance() -> None:
    rng = np.random.default_rng(1)
    picture = rng.random((40, 40, 4)).astype(np.float32)
    hole = np.zeros((40, 40), bool)
    hole[15:22, 14:25] = True
    search = _search(picture, hole)
    search.aim(search.describe_targets(picture))
    true = np.array(
        [
            _distance(_patch(picture, target), _patch(picture, source))
            for target, source in zip(search.targets, search.sources, strict=True)
        ]
    )
    assert (search.prices <= true + 1e-5).all()
    assert search.prices.sum() > 0.15 * true.sum()


def test_search_among_all_finds_the_cheapest() -> None:
    picture, hole = _scene()
    search = _search(picture, hole, weight=2)
    extra = np.random.default_rng(5).random((2 * 37 + 1, 2 * 45 + 1)).astype(np.float32) * 0.05
    wanted = search.describe_targets(picture)
    search.aim(wanted, extra)
    search.search(exactly=True)
    rows, columns = search.grid.rows_columns(search.known)
    for number in range(0, len(search.targets), 23):
        row, column = search.grid.rows_columns(search.targets[number : number + 1])
        distance = ((search.known_described(search.known) - wanted[number]) ** 2).sum(axis=1)
        distance += extra[rows - row + 37, columns - column + 45]
        assert search.prices[number] == pytest.approx(distance.min(), abs=1e-5)


def test_sources_are_known_and_never_get_dearer() -> None:
    rng = np.random.default_rng(2)
    picture = rng.random((61, 53, 4)).astype(np.float32)
    hole = np.zeros((61, 53), bool)
    hole[:20, 30:] = True  # at the picture's border
    search = _search(picture, hole)
    search.aim(search.describe_targets(picture))
    before = search.prices.copy()
    search.propagate()
    search._jump()
    rows, columns = search.grid.rows_columns(search.sources)
    assert known_patches(hole)[rows, columns].all()
    assert (search.prices <= before).all()
    assert search.prices.mean() < 0.9 * before.mean()


def test_votes_are_weighted_means_of_what_patches_found() -> None:
    picture, hole = _scene(29, 31)
    hole[:] = False
    hole[10:14, 12:17] = True
    search = _search(picture, hole)
    search.aim(search.describe_targets(picture))
    voted = search.vote(picture)
    typical = np.quantile(search.prices, 0.75)
    weight = np.exp(-np.minimum(search.prices / (2 * typical), 30)) * 1.3**-search.depth
    rows, columns = search.grid.rows_columns(search.targets)
    found_rows, found_columns = search.grid.rows_columns(search.sources)
    for row, column in np.argwhere(hole)[::3]:
        over = (abs(rows - row) <= RADIUS) & (abs(columns - column) <= RADIUS)
        colors = picture[
            found_rows[over] + row - rows[over], found_columns[over] + column - columns[over]
        ]
        mean = (colors * weight[over, None]).sum(axis=0) / weight[over].sum()
        np.testing.assert_allclose(voted[row, column], mean, atol=1e-5)
    np.testing.assert_array_equal(voted[~hole], picture[~hole])


def test_offsets_can_be_given_back() -> None:
    picture, hole = _scene()
    first, second = _search(picture, hole), _search(picture, hole)
    first.aim(first.describe_targets(picture))
    first.search(exactly=True)
    second.move(first.offsets())
    np.testing.assert_array_equal(second.sources, first.sources)


def test_sources_double() -> None:
    rng = np.random.default_rng(0)
    hole = np.zeros((64, 66), bool)
    hole[20:36, 24:40] = True
    fine = _search(rng.random((64, 66, 4)).astype(np.float32), hole)
    coarse = _search(rng.random((32, 33, 4)).astype(np.float32), hole[::2, ::2])
    coarse.sources[:] = coarse.targets - 10  # ten columns to the left, whether known or not
    fine.adopt(coarse)
    rows, columns = fine.grid.rows_columns(fine.targets)
    found_rows, found_columns = fine.grid.rows_columns(fine.sources)
    known = known_patches(hole)[rows, np.clip(columns - 20, 0, None)]
    inside = hole[rows, columns] & known
    assert inside.sum() > 50
    assert (found_rows == rows)[inside].all()
    assert (found_columns == columns - 20)[inside].all()


def test_a_tick_that_raises_ends_the_search() -> None:
    picture, hole = _scene()

    class StoppedError(Exception):
        """What a server raises when its client has gone."""

    def stop() -> None:
        raise StoppedError

    with pytest.raises(StoppedError):
        PatchSearch(picture, hole, 0, np.random.default_rng(0), stop)


def test_places_and_rows_and_columns_are_each_others_inverse() -> None:
    grid = Grid(11, 7)
    places = np.arange(17 * 13)
    np.testing.assert_array_equal(grid.places(*grid.rows_columns(places)), places)
