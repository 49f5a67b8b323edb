"""How long a table's rows are trained: as in the paper, or all as many steps as fit some time."""

from __future__ import annotations

import re
import statistics
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from regionwise.errors import RecipeError
from regionwise.photos.photo_source import PhotoSource
from regionwise.recipe import Recipe, check_recipe
from regionwise.recipe.section import Duration
from regionwise.training.loop import TrainingProgress, train
from regionwise.training.settings import TrainingSettings
from regionwise.training.timetable import timetable

_HOURS = {"cpu-hour": 60.0, "gpu-hour": 60.0}
_PROBED, _FORGOTTEN = 4, 1
"""Steps of each phase that are timed, and how many of them are still warming up."""


@dataclass(frozen=True)
class Budget:
    """What each row may take.

    Attributes:
        words: as it was asked for.
        minutes: on this machine, by the slowest row; all rows are given as many steps as that one
            makes in the time. None if steps are given, or for the paper's own lengths.
        steps: of each row, in all phases together.
    """

    words: str
    minutes: float | None = None
    steps: int | None = None

    @property
    def is_the_papers(self) -> bool:
        """Whether recipes stay as they are."""
        return self.minutes is None and self.steps is None


def parse_budget(words: str) -> Budget:
    """A budget from the command line: paper, gpu-hour, cpu-hour, minutes=M, steps=N.

    Raises:
        RecipeError: if it is not one of these.
    """
    if words == "paper":
        return Budget(words)
    if words in _HOURS:
        return Budget(words, minutes=_HOURS[words])
    found = re.fullmatch(r"(minutes|steps)=([\d.]+)", words)
    number = float(found[2]) if found and found[2].count(".") < 2 else 0.0
    if not found or number <= 0:
        raise RecipeError(
            f"--budget {words}: give paper, gpu-hour, cpu-hour, minutes=M or steps=N, above 0"
        )
    if found[1] == "minutes":
        return Budget(words, minutes=number)
    return Budget(words, steps=max(int(number), 1))


def with_steps(recipe: Recipe, steps: int, photos: int) -> Recipe:
    """The recipe with so many steps, all its lengths shortened or stretched alike.

    Args:
        recipe: is left as it is.
        steps: of all phases together, one at least of each.
        photos: how many there are, for lengths in epochs.
    """
    stretches = timetable(recipe, photos)
    factor = steps / stretches[-1].end
    content = recipe.model_dump(mode="json")
    for stretch, phase in zip(stretches, content["phases"], strict=True):
        phase["length"] = max(round(factor * (stretch.end - stretch.start)), 1)
        sections = [phase["optimizer"]]
        if phase["discriminator"] is not None:
            sections.append(phase["discriminator"]["optimizer"])
        for section in sections:
            _scale(section, factor, stretch.phase.batch, photos)
    if content["discriminator"] is not None:
        _scale(content["discriminator"]["optimizer"], factor, recipe.phases[0].batch, photos)
    every = recipe.validation.every.steps(recipe.phases[0].batch, photos)
    content["validation"]["every"] = max(round(factor * every), -(-steps // 4), 1)
    return check_recipe(content, "with another length")


def _scale(optimizer: dict[str, Any], factor: float, batch: int, photos: int) -> None:
    """Bring an optimiser's durations to another length of the training."""
    schedule = optimizer["schedule"]
    for section, key in (
        (optimizer, "warmup"),
        *((schedule, k) for k in ("hold", "every", "over")),
    ):
        if section[key] is not None:
            duration = Duration.parse(section[key])
            if duration.count > 0:
                section[key] = max(round(factor * duration.steps(batch, photos)), 1)


def steps_in(
    minutes: float,
    recipes: Sequence[Recipe],
    photos: Sequence[PhotoSource],
    settings: TrainingSettings,
) -> int:
    """How many steps the slowest of some recipes makes in a time, found by trying each."""
    return min(
        max(int(60 * minutes / _seconds_per_step(recipe, photos, settings)), 1)
        for recipe in recipes
    )


def _seconds_per_step(
    recipe: Recipe, photos: Sequence[PhotoSource], settings: TrainingSettings
) -> float:
    """Of a recipe, the mean over its phases by their lengths."""
    lengths = [s.end - s.start for s in timetable(recipe, len(photos))]
    content = recipe.model_dump(mode="json")
    for phase in content["phases"]:
        phase["length"] = _PROBED
    times: dict[str, list[float]] = {}
    last = time.perf_counter()

    def note(progress: TrainingProgress) -> None:
        nonlocal last
        now = time.perf_counter()
        times.setdefault(progress.phase, []).append(now - last)
        last = now

    with tempfile.TemporaryDirectory() as folder:
        probing = TrainingSettings(
            run=Path(folder),
            workers=settings.workers,
            accelerator=settings.accelerator,
            feature_files=settings.feature_files,
            log_steps=1,
        )
        train(check_recipe(content, "a trial"), photos, [], probing, report=note)
    medians = [statistics.median(times[phase.name][_FORGOTTEN:]) for phase in recipe.phases]
    return sum(m * n for m, n in zip(medians, lengths, strict=True)) / sum(lengths)
