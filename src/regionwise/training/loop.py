"""The training loop, to be read from top to bottom."""

from __future__ import annotations

import time
import warnings
import zlib
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import torch
from lightning_fabric import Fabric
from torch import Tensor

from regionwise.data.batches import HolePhotos, stream_batches
from regionwise.data.photo_sources import StoredPhoto
from regionwise.errors import OutputError, RegionwiseWarning, TrainingAlarm
from regionwise.recipe.schema import Recipe
from regionwise.training.alarms import Alarms
from regionwise.training.previews import preview_grid
from regionwise.training.records import Records
from regionwise.training.settings import Settings, make_fabric
from regionwise.training.state import (
    random_state,
    read_state,
    seed_random,
    set_random_state,
    write_atomically,
)
from regionwise.training.stopping import StopRequest
from regionwise.training.timetable import Stretch, timetable
from regionwise.training.trainer import Trainer
from regionwise.training.validation import Validation


@dataclass(frozen=True)
class Progress:
    """How far a training is: `done` of `steps`, with the numbers of the last step read.

    `scores` are the latest on held-back photos, none before the first validation.
    """

    done: int
    steps: int
    phase: str
    numbers: dict[str, float]
    pictures_per_second: float
    scores: dict[str, float]


@dataclass(frozen=True)
class Outcome:
    """How a training ended. `stopped`: why before its end, "" if it went to its end."""

    done: int
    steps: int
    stopped: str
    by_signal: bool
    scores: dict[str, float]


Report = Callable[[Progress], None]


def train(
    recipe: Recipe,
    photos: Sequence[StoredPhoto],
    held_back: Sequence[StoredPhoto],
    settings: Settings,
    *,
    report: Report = lambda progress: None,
) -> Outcome:
    """Train a recipe's phases, from the start or from where the run's `last.pt` stopped.

    Leaves in the run's folder `last.pt`, with all that is needed to go on, `best.pt`, with the
    averaged weights that were best on the held-back photos, and what TensorBoard shows.

    Args:
        recipe: what to train.
        photos: to train on.
        held_back: to validate on; none for no validation.
        settings: where and how.
        report: called by the first process whenever losses are read.

    Raises:
        TrainingAlarm: if it goes wrong; `alarm.pt` then holds the state, `last.pt` an older one.
    """
    return Training(recipe, photos, held_back, settings, report).run()


class Training:
    """A training under way; see `train`."""

    def __init__(
        self,
        recipe: Recipe,
        photos: Sequence[StoredPhoto],
        held_back: Sequence[StoredPhoto],
        settings: Settings,
        report: Report,
    ) -> None:
        self.recipe, self.photos, self.settings, self.report = recipe, photos, settings, report
        self.fabric = make_fabric(
            settings, recipe.precision, unused_parameters=not _reaches_the_end(recipe)
        )
        self.fabric.launch()
        seed_random(recipe.seed)
        self.stretches = timetable(recipe, len(photos))
        self.steps = self.stretches[-1].end
        self.trainer = Trainer(recipe, settings, self.fabric)
        self.alarms = Alarms(recipe.alarms, None, half=recipe.precision == "fp16")
        self.validation = Validation(recipe, held_back)
        self.broken: dict[str, str] = {}
        self.scores: dict[str, float] = {}
        self.best: float | None = None
        self.done = 0

    def run(self) -> Outcome:
        """All phases, or what is left of them."""
        settings = self.settings
        settings.run.mkdir(parents=True, exist_ok=True)
        state = read_state(settings.run / "last.pt") if self._has_state() else None
        if state is not None:
            self._load(state)
        recipe = self.recipe
        plain = recipe.model_dump(mode="json")
        first = self.fabric.is_global_zero
        with (
            Records(settings.run, self.done, plain, settings.wandb, active=first) as self.records,
            StopRequest(settings.minutes) as self.request,
        ):
            if state is None:
                self._save("last.pt")
            stopped = ""
            for stretch in self.stretches:
                if self.done < stretch.end and not stopped:
                    amid = self.done > stretch.start
                    self.trainer.begin(stretch, amid=amid)
                    self.alarms.begin(recipe.adversary_of(stretch.phase), amid=amid)
                    stopped = self._run_phase(stretch)
            self._save("last.pt", essential=True)
        return Outcome(self.done, self.steps, stopped, self.request.by_signal, self.scores)

    def _run_phase(self, stretch: Stretch) -> str:
        """The steps of a phase that are left; gives the reason if it was stopped."""
        self.stretch = stretch
        every = stretch.steps(self.recipe.validation.every)
        log_steps = self.settings.log_steps or (1 if self.fabric.device.type == "cpu" else 10)
        saved = counted = time.monotonic()
        pictures = 0
        for step, batch in enumerate(self._batches(), start=self.done):
            numbers = self.trainer.step(batch, step)
            self.done = step + 1
            pictures += len(batch.image) * self.fabric.world_size
            self._note_broken(batch.broken)
            stopped, save = self._agreed(
                bool(self.request.reason),
                time.monotonic() - saved > 60 * self.settings.checkpoint_minutes,
            )
            ends = self.done == stretch.end
            save |= self.done % (self.settings.checkpoint_steps or self.steps + 1) == 0
            validate = self.done % every == 0 or ends
            if self.done % log_steps == 0 or save or stopped or validate:
                now = time.monotonic()
                self._read(numbers, pictures / max(now - counted, 1e-9))
                counted, pictures = now, 0
            if validate:
                self._validate()
            if self.done % self.settings.preview_steps == 0 or ends:
                self._preview(batch.image, batch.mask)
            if stopped or ends:
                break
            if save:
                self._save("last.pt")
                saved = time.monotonic()
        return (self.request.reason or "another process was stopped") if stopped else ""

    def _batches(self) -> Any:
        stretch = self.stretch
        phase = stretch.phase
        data = HolePhotos(self.photos, phase.data, phase.holes, self.recipe.seed)
        return stream_batches(
            data,
            phase.batch,
            range(self.done - stretch.start, stretch.end - stretch.start),
            first=stretch.first_photo,
            workers=self.settings.workers,
            process=self.fabric.global_rank,
            processes=self.fabric.world_size,
        )

    def _agreed(self, stop: bool, save: bool) -> tuple[bool, bool]:
        """What any process wants, all do."""
        if self.fabric.world_size > 1:
            wishes = torch.tensor([stop, save], dtype=torch.float32, device=self.fabric.device)
            wishes = self.fabric.all_reduce(wishes, reduce_op="sum")  # type: ignore[assignment]
            stop, save = (wishes > 0).tolist()
        return stop, save

    def _read(self, numbers: dict[str, Tensor], speed: float) -> None:
        """Bring a step's numbers to the records, and see whether they alarm."""
        values = self.trainer.joint_sum(numbers)
        last = self.done - 1
        rate = self.stretch.rate(self.stretch.phase.optimizer, last)
        self.records.numbers(self.stretch.phase.name, values | {"lr": rate}, last)
        self.records.numbers("speed", {"pictures_per_second": speed}, last)
        try:
            self.alarms.check(last, values)
        except TrainingAlarm as alarm:
            self._save("alarm.pt")
            raise TrainingAlarm(
                f"{alarm}; the state is kept as {self.settings.run / 'alarm.pt'}, an older one as "
                "last.pt"
            ) from None
        if self.fabric.is_global_zero:
            phase = self.stretch.phase.name
            self.report(Progress(self.done, self.steps, phase, values, speed, self.scores))

    def _validate(self) -> None:
        """Measure the averaged weights, and keep them if they are the best so far."""
        if not self.validation.pictures:
            return
        with self.trainer.average.shown_in(self.trainer.generator) as network:
            self.scores = self.validation.measure(network, self.fabric)
        self.records.numbers("validation", self.scores, self.done - 1)
        name = self.recipe.validation.best
        score = self.scores[name] * (-1 if name == "l1_hole" else 1)
        if self.best is None or score > self.best:
            self.best = score
            self._write(
                "best.pt",
                {
                    "recipe": self.recipe.model_dump(mode="json"),
                    "average": self.trainer.average.weights,
                    "step": self.done,
                    "scores": self.scores,
                },
            )

    def _preview(self, image: Tensor, mask: Tensor) -> None:
        """Fill held-back pictures, or those of the batch if there are none, and show them."""
        if not self.fabric.is_global_zero:
            return
        if self.validation.pictures:
            count = min(6, len(self.validation.pictures))
            pairs = [self.validation.tensors(number) for number in range(count)]
            image, mask = (torch.cat(list(x)) for x in zip(*pairs, strict=True))
        image, mask = (x[:6].to(self.fabric.device) for x in (image, mask))
        with self.trainer.average.shown_in(self.trainer.generator) as network:
            self.records.preview(preview_grid(network, image, mask), self.done - 1)

    def _note_broken(self, broken: dict[str, str]) -> None:
        """Count and name photos that were passed over, each once."""
        for name, reason in broken.items():
            if name not in self.broken:
                self.broken[name] = reason
                warnings.warn(f"{name}: {reason}; skipped", RegionwiseWarning, stacklevel=2)
                file = f"broken-{self.fabric.global_rank}.txt"
                with (
                    suppress(OSError),  # a full disk must not end the training
                    (self.settings.run / file).open("a", encoding="utf-8") as stream,
                ):
                    stream.write(f"{name}\t{reason}\n")

    def _save(self, name: str, *, essential: bool = False) -> None:
        """Write all that is needed to go on."""
        states = _gathered(random_state(), self.fabric)
        if not self.fabric.is_global_zero:
            return
        state = self.trainer.state() | {
            "recipe": self.recipe.model_dump(mode="json"),
            "step": self.done,
            "random": states,
            "alarms": self.alarms.state(),
            "best": self.best,
            "broken": self.broken,
            "photos": _fingerprint(self.photos),
        }
        self._write(name, state, essential=essential)

    def _write(self, name: str, state: dict[str, Any], *, essential: bool = False) -> None:
        """Write a file of the run. A disk that is full for a while must not end the training."""
        if not self.fabric.is_global_zero:
            return
        try:
            write_atomically(state, self.settings.run / name)
        except OutputError as error:
            if essential:
                raise
            warnings.warn(f"{error}; the training goes on", RegionwiseWarning, stacklevel=2)

    def _has_state(self) -> bool:
        return (self.settings.run / "last.pt").exists()

    def _load(self, state: dict[str, Any]) -> None:
        if state["recipe"] != self.recipe.model_dump(mode="json"):
            warnings.warn(
                f"{self.settings.run}: the recipe is not the one the training began with",
                RegionwiseWarning,
                stacklevel=2,
            )
        if state["photos"] != _fingerprint(self.photos):
            warnings.warn(
                f"{self.settings.run}: the photos are not those the training began with; it goes "
                "on, but not as it would have",
                RegionwiseWarning,
                stacklevel=2,
            )
        self.trainer.load(state)
        self.alarms.load(state["alarms"])
        self.done, self.best, self.broken = state["step"], state["best"], state["broken"]
        if len(state["random"]) == self.fabric.world_size:
            set_random_state(state["random"][self.fabric.global_rank])


def _reaches_the_end(recipe: Recipe) -> bool:
    """Whether in each phase some term has a gradient for the network's last stage, so for all."""
    return all(
        any(stage in ("all", -1) for term in phase.losses for stage in term.stages)
        for phase in recipe.phases
    )


def _gathered(mine: dict[str, Any], fabric: Fabric) -> list[dict[str, Any]]:
    """Plain data of all processes, in their order."""
    if fabric.world_size == 1:
        return [mine]
    everyone: list[Any] = [None] * fabric.world_size
    torch.distributed.all_gather_object(everyone, mine)
    return everyone


def _fingerprint(photos: Sequence[StoredPhoto]) -> list[int]:
    """How many photos there are, and a checksum of their names in order."""
    names = "\n".join(photo.name for photo in photos)
    return [len(photos), zlib.crc32(names.encode())]
