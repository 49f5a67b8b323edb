"""Phases in steps and photos, and learning rates over them."""

import math

import pytest
import yaml

from regionwise.recipe import check_recipe
from regionwise.training.timetable import timetable

RECIPE = """
model: {name: rn}
batch: 4
data: {size: 64}
holes: {mixture: {irregular: 1}}
losses: [{name: l1}]
phases:
  - {name: a, length: 3 epochs, optimizer: {lr: 2.0}}
  - {name: b, length: 100 photos, batch: 10, optimizer: {lr: 1.0}}
"""


def stretches(photos=10, **optimizer):
    content = yaml.safe_load(RECIPE)
    content["phases"][0]["optimizer"] |= optimizer
    return timetable(check_recipe(content, "test"), photos)


def rates(stretch):
    return [stretch.rate(stretch.phase.optimizer, k) for k in range(stretch.start, stretch.end)]


def test_phases_follow_one_another():
    first, second = stretches()
    assert (first.start, first.end, first.first_photo) == (0, 8, 0)  # 30 photos, 4 a step
    assert (second.start, second.end, second.first_photo) == (8, 18, 32)


def test_constant_after_a_warm_up():
    first, _ = stretches(warmup=4)
    assert rates(first) == [0.5, 1.0, 1.5, 2, 2, 2, 2, 2]


def test_cosine_down_to_a_share():
    first, _ = stretches(schedule={"name": "cosine", "to": 0.1}, warmup=2)
    expected = [2 * (0.1 + 0.9 * (1 + math.cos(math.pi * k / 6)) / 2) for k in range(6)]
    assert rates(first)[2:] == pytest.approx(expected)


def test_linear_after_a_hold_and_over_another_length():
    first, _ = stretches(schedule={"name": "linear", "hold": 4})
    assert rates(first) == pytest.approx([2, 2, 2, 2, 2, 1.5, 1, 0.5])
    first, _ = stretches(schedule={"name": "linear", "over": "4 steps"})
    assert rates(first) == pytest.approx([2, 1.5, 1, 0.5, 0, 0, 0, 0])


def test_steps_of_an_epoch():
    first, _ = stretches(schedule={"name": "steps", "every": "1 epoch", "factor": 0.5})
    assert rates(first) == [2, 2, 2, 1, 1, 1, 0.5, 0.5]
    first, _ = stretches(schedule={"name": "steps", "hold": 2, "every": 3, "factor": 0.5})
    assert rates(first) == [2, 2, 2, 2, 2, 1, 1, 1]


def test_a_phase_counts_its_own_steps():
    _, second = stretches()
    assert rates(second) == [1.0] * 10
