"""When each phase begins and ends, in steps and in photos."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from regionwise.recipe.schema import OptimizerSection, Phase, Recipe
from regionwise.recipe.section import Duration


@dataclass(frozen=True)
class Stretch:
    """A phase with its place in the training.

    Attributes:
        start, end: its first step, and the one after its last, counted from the training's begin.
        first_photo: number in the stream of photos of the one with which it begins.
        photos: how many different photos there are.
    """

    index: int
    phase: Phase
    start: int
    end: int
    first_photo: int
    photos: int

    def steps(self, duration: Duration) -> int:
        """A duration in this phase's steps."""
        return duration.steps(self.phase.batch, self.photos)

    def pictures(self, step: int) -> int:
        """How many pictures the training has seen before a step of this phase."""
        return self.first_photo + (step - self.start) * self.phase.batch

    def rate(self, section: OptimizerSection, step: int) -> float:
        """The learning rate at a step of the training."""
        return section.lr * self._factor(section, step - self.start)

    def _factor(self, section: OptimizerSection, step: int) -> float:
        warmup = self.steps(section.warmup)
        if step < warmup:
            return (step + 1) / warmup
        schedule = section.schedule
        if schedule.name == "constant":
            return 1.0
        if schedule.name == "steps":
            falling = max(step - warmup - self.steps(schedule.hold), 0)
            return schedule.factor ** (falling // self.steps(schedule.every))
        whole = self.steps(schedule.over) if schedule.over else self.end - self.start
        begin = warmup + (self.steps(schedule.hold) if schedule.name == "linear" else 0)
        progress = min(max((step - begin) / max(whole - begin, 1), 0.0), 1.0)
        left = 1 - progress if schedule.name == "linear" else _half_cosine(progress)
        return schedule.to + (1 - schedule.to) * left


def _half_cosine(progress: float) -> float:
    return (1 + math.cos(math.pi * progress)) / 2


def timetable(recipe: Recipe, photos: int) -> Sequence[Stretch]:
    """The recipe's phases one after the other, for a set of so many photos."""
    stretches: list[Stretch] = []
    step = first_photo = 0
    for index, phase in enumerate(recipe.phases):
        steps = phase.length.steps(phase.batch, photos)
        stretches.append(Stretch(index, phase, step, step + steps, first_photo, photos))
        step += steps
        first_photo += steps * phase.batch
    return stretches
