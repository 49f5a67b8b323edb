"""Who is preferred to whom: strengths of models from votes between two of them.

Bradley and Terry, Rank Analysis of Incomplete Block Designs, Biometrika 1952: model i is preferred
to j with probability 1 / (1 + exp(θⱼ - θᵢ)). A tie counts as half a vote for each. A weak normal
prior keeps the strength of a model that never lost finite.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit, log_expit, ndtri

PRIOR = 2.0
"""Standard deviation of the prior of a strength: a model 2 above another wins 88 of 100."""


@dataclass(frozen=True)
class Vote:
    """One choice between two fills of a case; a tie names both and prefers neither."""

    case: str
    preferred: str
    other: str
    tie: bool = False


@dataclass(frozen=True)
class Strength:
    """A model's strength θ in log odds, about the mean of all, with its 95 % interval.

    `votes`: in which it took part; `won`: of them, a tie being a half.
    """

    model: str
    value: float
    low: float
    high: float
    votes: int
    won: float


@dataclass(frozen=True)
class Duel:
    """How often a model was preferred to another one, of `votes`, with a 95 % interval (Wilson)."""

    model: str
    other: str
    share: float
    low: float
    high: float
    votes: int


def ranking(votes: Sequence[Vote], prior: float = PRIOR) -> list[Strength]:
    """The models' strengths, the strongest first.

    Intervals are from the curvature at the most probable strengths; they hold for votes that are
    independent, and are a little too wide where many are ties.

    Args:
        votes: all of them; models that no chain of votes connects are held together by the prior.
        prior: standard deviation of a strength before any vote.
    """
    models = sorted({name for vote in votes for name in (vote.preferred, vote.other)})
    wins = wins_of(votes, models)
    strengths, spread = fitted(wins, prior)
    reach = ndtri(0.975) * np.sqrt(np.diag(spread))
    found = [
        Strength(
            model,
            float(strengths[number]),
            float(strengths[number] - reach[number]),
            float(strengths[number] + reach[number]),
            round(wins[number].sum() + wins[:, number].sum()),
            float(wins[number].sum()),
        )
        for number, model in enumerate(models)
    ]
    return sorted(found, key=lambda one: -one.value)


def duels(votes: Sequence[Vote], models: Sequence[str]) -> list[Duel]:
    """Each model against each that comes after it, where there are votes."""
    wins = wins_of(votes, models)
    found = []
    for one in range(len(models)):
        for other in range(one + 1, len(models)):
            count = wins[one, other] + wins[other, one]
            if count:
                low, high = wilson(wins[one, other], count)
                share = float(wins[one, other] / count)
                found.append(Duel(models[one], models[other], share, low, high, round(count)))
    return found


def wins_of(votes: Sequence[Vote], models: Sequence[str]) -> NDArray[np.float64]:
    """How often row was preferred to column; a tie is a half for each."""
    place = {model: number for number, model in enumerate(models)}
    wins = np.zeros((len(models), len(models)))
    for vote in votes:
        one, other = place[vote.preferred], place[vote.other]
        wins[one, other] += 0.5 if vote.tie else 1.0
        wins[other, one] += 0.5 if vote.tie else 0.0
    return wins


def fitted(
    wins: NDArray[np.float64], prior: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The most probable strengths, of mean 0, and the covariance of them about their mean."""

    def loss(theta: NDArray[np.float64]) -> float:
        lead = theta[:, None] - theta
        return float(-(wins * log_expit(lead)).sum() + (theta**2).sum() / (2 * prior**2))

    def slope(theta: NDArray[np.float64]) -> NDArray[np.float64]:
        surprise = wins * expit(theta - theta[:, None])
        gradient: NDArray[np.float64] = (
            surprise.sum(axis=0) - surprise.sum(axis=1) + theta / prior**2
        )
        return gradient

    def curvature(theta: NDArray[np.float64]) -> NDArray[np.float64]:
        chance = expit(theta[:, None] - theta)
        weight = (wins + wins.T) * chance * (1 - chance)
        between: NDArray[np.float64] = np.diag(weight.sum(axis=1) + 1 / prior**2) - weight
        return between

    start = np.zeros(len(wins))
    theta = minimize(loss, start, jac=slope, hess=curvature, method="trust-exact").x
    center = np.eye(len(wins)) - 1 / len(wins)
    spread = center @ np.linalg.inv(curvature(theta)) @ center
    return theta - theta.mean(), spread


def wilson(won: float, count: float) -> tuple[float, float]:
    """The 95 % interval of a share (Wilson, 1927)."""
    z = float(ndtri(0.975))
    middle = (won + z**2 / 2) / (count + z**2)
    reach = z / (count + z**2) * math.sqrt(won * (count - won) / count + z**2 / 4)
    return max(middle - reach, 0.0), min(middle + reach, 1.0)
