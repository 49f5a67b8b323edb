"""Strengths from votes: known ones come back, ties, models that never lose, honest intervals."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.optimize import brentq
from scipy.stats import binom

from regionwise.evaluation.preferences import Vote, duels, fitted, ranking, wilson, wins_of


def _votes(strengths: dict[str, float], each: int, seed: int, ties: float = 0.0) -> list[Vote]:
    """Votes by chance: `each` between any two models, of which a share are ties."""
    rng = np.random.default_rng(seed)
    names = sorted(strengths)
    found = []
    for number, one in enumerate(names):
        for other in names[number + 1 :]:
            chance = 1 / (1 + math.exp(strengths[other] - strengths[one]))
            for case in range(each):
                pair = (one, other) if rng.random() < chance else (other, one)
                found.append(Vote(f"{case}", *pair, tie=rng.random() < ties))
    return found


def test_known_strengths_come_back() -> None:
    true = {"a": -0.9, "b": -0.2, "c": 0.3, "d": 0.8}
    found = ranking(_votes(true, 4000, seed=0))
    assert [one.model for one in found] == ["d", "c", "b", "a"]
    for one in found:
        assert one.value == pytest.approx(true[one.model], abs=0.08)
        assert one.low < one.value < one.high
        assert one.votes == 12000


def test_two_models_have_the_strengths_of_their_odds() -> None:
    """Without a prior θ₁ - θ₂ is the log of the odds; with it the slope is zero: one unknown."""
    wins = np.array([[0.0, 30.0], [10.0, 0.0]])
    theta, _ = fitted(wins, prior=1e6)
    assert theta[0] - theta[1] == pytest.approx(math.log(3), abs=1e-5)
    theta, spread = fitted(wins, prior=0.5)

    def slope(half: float) -> float:
        return 30 - 40 / (1 + math.exp(-2 * half)) - half / 0.25

    assert theta[0] == pytest.approx(brentq(slope, -5, 5), abs=1e-5)
    assert theta.sum() == pytest.approx(0)
    np.testing.assert_allclose(spread.sum(axis=0), 0, atol=1e-12)


def test_intervals_hold_the_truth_as_often_as_they_say() -> None:
    true = {"a": -0.8, "b": -0.2, "c": 0.3, "d": 0.7}
    inside = []
    for trial in range(250):
        found = ranking(_votes(true, 12, seed=trial))
        inside += [one.low < true[one.model] < one.high for one in found]
    assert 0.93 < np.mean(inside) < 0.99


def test_a_model_that_never_lost_has_an_end() -> None:
    votes = [Vote(f"{case}", "best", other) for case in range(20) for other in ("x", "y")]
    votes += [Vote("0", "x", "y"), Vote("1", "y", "x")]
    first, *others = ranking(votes)
    assert first.model == "best"
    assert 1 < first.value < 5
    assert first.low > max(one.value for one in others)
    assert math.isfinite(first.high)
    more = ranking(votes + votes)[0]
    assert more.value > first.value
    (duel, *_) = duels(votes, ["best", "x", "y"])
    assert duel.share == 1
    assert 0.8 < duel.low < 0.9


def test_ties_are_a_half_for_each() -> None:
    tied = [Vote(f"{case}", "a", "b", tie=True) for case in range(30)]
    for one in ranking(tied):
        assert one.value == pytest.approx(0)
        assert one.won == 15
    split = [Vote(f"{case}", *("ab" if case % 2 else "ba")) for case in range(30)]
    assert [one.high for one in ranking(split)] == pytest.approx(
        [one.high for one in ranking(tied)]
    )
    plain = ranking(_votes({"a": 0.6, "b": -0.6}, 3000, seed=1))[0].value
    many_ties = ranking(_votes({"a": 0.6, "b": -0.6}, 3000, seed=1, ties=0.5))[0].value
    assert 0.2 < many_ties < plain - 0.1


def test_wins_are_counted_by_row_and_column() -> None:
    votes = [Vote("1", "a", "b"), Vote("2", "a", "b"), Vote("1", "b", "c", tie=True)]
    assert wins_of(votes, ["a", "b", "c"]).tolist() == [[0, 2, 0], [0, 0, 0.5], [0, 0.5, 0]]
    assert [(duel.model, duel.other, duel.votes) for duel in duels(votes, ["a", "b", "c"])] == [
        ("a", "b", 2),
        ("b", "c", 1),
    ]


@pytest.mark.parametrize("share", [0.5, 0.8, 0.95])
def test_wilsons_interval_covers(share: float) -> None:
    chances = binom.pmf(np.arange(41), 40, share)
    holds = [low <= share <= high for low, high in (wilson(won, 40) for won in range(41))]
    assert 0.92 < (chances * holds).sum() < 0.985
