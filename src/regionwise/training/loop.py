"""The training loop, to be read from top to bottom."""

from __future__ import annotations

import time
import warnings
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import torch
from lightning_fabric import Fabric
from torch import Tensor

from regionwise.data.batches import Batch, HolePhotos, stream_batches
from regionwise.errors import OutputError, RegionwiseWarning, TrainingAlarm
from regionwise.photos.photo_source import PhotoSource
from regionwise.recipe.schema import Recipe
from regionwise.training.alarms import Alarms
from regionwise.training.boards import boards_of
from regionwise.training.curve_file import CurveFile
from regionwise.training.gradient_budget import BUDGET, gradient_shares, idle_terms
from regionwise.training.kept import BestCheckpoints, step_file
from regionwise.training.networks import Networks
from regionwise.training.phase_trainer import PhaseTrainer
from regionwise.training.precision import with_chosen_precision
from regionwise.training.previews import preview_grid
from regionwise.training.records import Records
from regionwise.training.settings import TrainingSettings, make_fabric
from regionwise.training.state import (
    random_state,
    read_state,
    seed_random,
    set_random_state,
    write_atomically,
)
from regionwise.training.stopping import StopRequest
from regionwise.training.timetable import Stretch, timetable
from regionwise.training.validation import Validation


@dataclass(frozen=True)
class TrainingProgress:
    """How far a training is: `done` of `steps`, with the numbers of the last step read.

    `scores` are the latest on held-out photos, none before the first validation; `membrane` those
    of a smooth fill of the same holes.
    """

    done: int
    steps: int
    phase: str
    numbers: dict[str, float]
    pictures_per_second: float
    scores: dict[str, float]
    membrane: dict[str, float]


@dataclass(frozen=True)
class TrainingOutcome:
    """How a training ended. `stopped`: why before its end, "" if it went to its end."""

    done: int
    steps: int
    stopped: str
    by_signal: bool
    scores: dict[str, float]
    membrane: dict[str, float]


Report = Callable[[TrainingProgress], None]


def train(
    recipe: Recipe,
    photos: Sequence[PhotoSource],
    held_out: Sequence[PhotoSource],
    settings: TrainingSettings,
    *,
    report: Report = lambda progress: None,
) -> TrainingOutcome:
    """Train a recipe's phases, from the start or from where the run's `last.pt` stopped.

    Leaves in the run's folder `last.pt`, with all that is needed to go on, `best.pt`, with the
    averaged weights that were best on the held-out photos, and what TensorBoard shows.

    Args:
        recipe: what to train.
        photos: to train on.
        held_out: to validate on; none for no validation.
        settings: where and how.
        report: called by the first process whenever losses are read.

    Raises:
        TrainingAlarm: if it goes wrong; `alarm.pt` then holds the state, `last.pt` an older one.
    """
    return _TrainingLoop(recipe, photos, held_out, settings, report).run()


class _TrainingLoop:
    """The whole of a training: phases, checkpoints, validation, records."""

    def __init__(
        self,
        recipe: Recipe,
        photos: Sequence[PhotoSource],
        held_out: Sequence[PhotoSource],
        settings: TrainingSettings,
        report: Report,
    ) -> None:
        settings.run.mkdir(parents=True, exist_ok=True)
        last = settings.run / "last.pt"
        state = read_state(last) if last.exists() else None
        recipe = _with_precision(recipe, settings, state)
        self.recipe, self.photos, self.settings, self.report = recipe, photos, settings, report
        self.fabric = make_fabric(
            settings,
            recipe.precision,  # type: ignore[arg-type] # chosen above
            unused_parameters=not _reaches_the_end(recipe),
        )
        self.fabric.launch()
        seed_random(recipe.seed)
        self.stretches = timetable(recipe, len(photos))
        self.steps = self.stretches[-1].end
        self.networks = Networks(
            recipe, self.fabric, checkpoint_gradients=settings.checkpoint_gradients
        )
        self.validation = Validation(recipe, held_out, settings.lpips, settings.accelerator)
        self.scores: dict[str, float] = {}
        self.done = 0
        self.best: float | None = None
        self.broken: dict[str, str] = {}
        self.optimizers: Mapping[str, Any] = {}  # states to go on from
        self.alarm_state: Mapping[str, float] = {}
        spent = 0.0
        if state is not None:
            self._load(state)
            spent = state.get("cpu_seconds", 0.0)  # runs before 0.1 did not count
        self.kept = BestCheckpoints(settings.run, settings.keep_best, self.done)
        self.curve = CurveFile(settings.run / "curve.csv", self.done, spent)
        plain = recipe.model_dump(mode="json")
        first = self.fabric.is_global_zero
        boards = boards_of(settings, plain) if first else ()
        self.records = Records(settings.run, self.done, boards, active=first)
        self.request = StopRequest(settings.minutes)

    def run(self) -> TrainingOutcome:
        """All phases, or what is left of them."""
        stopped = ""
        with self.records, self.request:
            for stretch in self.stretches:
                if self.done < stretch.end and not stopped:
                    stopped = self._run_phase(stretch)
        by_signal = self.request.by_signal
        membrane = self.validation.membrane
        return TrainingOutcome(self.done, self.steps, stopped, by_signal, self.scores, membrane)

    def _run_phase(self, stretch: Stretch) -> str:
        """The steps of a phase that are left; gives the reason if it was stopped."""
        phase, amid = stretch.phase, self.done > stretch.start
        if not amid:
            self.networks.begin(phase)
        kept = self.optimizers if amid or phase.keep_optimizer else {}
        trainer = PhaseTrainer(
            self.networks, self.recipe, stretch, self.settings, self.fabric, kept
        )
        loss = trainer.adversarial_loss
        alarms = Alarms(
            self.recipe.alarms,
            bounded=loss is not None and loss.bounded,
            half=self.recipe.precision == "fp16",
            state=self.alarm_state if amid else None,
        )
        if self.done == 0:
            self._save("last.pt", trainer, alarms)
        validate_steps = stretch.steps(self.recipe.validation.every)
        log_steps = self.settings.log_steps or (1 if self.fabric.device.type == "cpu" else 10)
        saved = counted = time.monotonic()
        pictures, stopped = 0, False
        for step, batch in enumerate(self._batches(stretch), start=self.done):
            probes = step == stretch.start or (step + 1) % self.settings.preview_steps == 0
            numbers = trainer.step(batch, step, probe=probes)
            self.done = step + 1
            pictures += len(batch.image) * self.fabric.world_size
            self._note_broken(batch.broken)
            stopped, save = self._agreed(
                bool(self.request.reason),
                time.monotonic() - saved > 60 * self.settings.checkpoint_minutes,
            )
            ends = self.done == stretch.end
            save |= self.done % (self.settings.checkpoint_steps or self.steps + 1) == 0
            validate = self.done % validate_steps == 0 or ends
            if self.done % log_steps == 0 or save or stopped or validate or probes:
                now = time.monotonic()
                self._read(trainer, alarms, numbers, pictures / max(now - counted, 1e-9))
                counted, pictures = now, 0
            if validate:
                self._validate(stretch.pictures(self.done))
            if self.done % self.settings.preview_steps == 0 or ends:
                self._preview(batch.image, batch.mask)
            if self.done % (self.settings.keep_steps or self.steps + 1) == 0:
                self._save(step_file(self.done), trainer, alarms)
            if stopped or ends:
                break
            if save:
                self._save("last.pt", trainer, alarms)
                saved = time.monotonic()
        self.optimizers = trainer.optimizer_states()
        if stopped or self.done == self.steps:
            self._save("last.pt", trainer, alarms, essential=True)
        return (self.request.reason or "another process was stopped") if stopped else ""

    def _batches(self, stretch: Stretch) -> Iterator[Batch]:
        """This process's share of the batches that are left of a phase."""
        phase = stretch.phase
        return stream_batches(
            HolePhotos(self.photos, phase.data, phase.holes, self.recipe.seed),
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

    def _read(
        self, trainer: PhaseTrainer, alarms: Alarms, numbers: dict[str, Tensor], speed: float
    ) -> None:
        """Bring a step's numbers to the records, and see whether they alarm."""
        values = trainer.joint_sum(numbers)
        phase, last = trainer.phase, self.done - 1
        norms = {name: values.pop(name) for name in list(values) if name.startswith(BUDGET)}
        self._read_budget(phase.name, gradient_shares(norms))
        rate = trainer.stretch.rate(phase.optimizer, last)
        self.records.numbers(phase.name, values | {"lr": rate}, last)
        self.records.numbers("speed", {"pictures_per_second": speed}, last)
        try:
            alarms.check(last, values)
        except TrainingAlarm as alarm:
            self._save("alarm.pt", trainer, alarms)
            raise TrainingAlarm(
                f"{alarm}; the state is kept as {self.settings.run / 'alarm.pt'}, an older one as "
                "last.pt"
            ) from None
        if self.fabric.is_global_zero:
            progress = (self.done, self.steps, phase.name, values, speed, self.scores)
            self.report(TrainingProgress(*progress, self.validation.membrane))

    def _read_budget(self, phase: str, shares: Mapping[str, float]) -> None:
        """Record each term's share of the generator's gradient; say which terms do nothing."""
        self.records.numbers(f"{phase} gradient shares", shares, self.done - 1)
        if self.fabric.is_global_zero:
            for words in idle_terms(shares):
                warnings.warn(f"phase {phase}: {words}", RegionwiseWarning, stacklevel=2)

    def _validate(self, seen: int) -> None:
        """Measure the averaged weights, after `seen` pictures; keep them if they are the best."""
        if not self.validation.pictures:
            return
        with self.networks.average.shown_in(self.networks.generator) as network:
            self.scores = self.validation.measure(network, self.fabric)
        self.records.numbers("validation", self.scores, self.done - 1)
        self.records.numbers("membrane", self.validation.membrane, self.done - 1)
        if self.fabric.is_global_zero:
            with suppress(OSError):  # a full disk must not end the training
                self.curve.add(self.done, seen, self.scores)
        name = self.recipe.validation.best
        score = self.scores[name] * (-1 if name == "l1_hole" else 1)
        content = {
            "recipe": self.recipe.model_dump(mode="json"),
            "average": self.networks.average.weights,
            "step": self.done,
            "scores": self.scores,
        }
        if self.fabric.is_global_zero:
            self.kept.offer(self.done, score, content, self._write)
        if self.best is None or score > self.best:
            self.best = score
            self._write("best.pt", content)

    def _preview(self, image: Tensor, mask: Tensor) -> None:
        """Fill held-out pictures, or those of the batch if there are none, and show them."""
        if not self.fabric.is_global_zero:
            return
        if self.validation.pictures:
            count = min(6, len(self.validation.pictures))
            pairs = [self.validation.tensors(number) for number in range(count)]
            image, mask = (torch.cat(list(x)) for x in zip(*pairs, strict=True))
        image, mask = (x[:6].to(self.fabric.device) for x in (image, mask))
        with self.networks.average.shown_in(self.networks.generator) as network:
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

    def _save(
        self, name: str, trainer: PhaseTrainer, alarms: Alarms, *, essential: bool = False
    ) -> None:
        """Write all that is needed to go on."""
        states = _gathered(random_state(), self.fabric)
        if not self.fabric.is_global_zero:
            return
        state = self.networks.state() | {
            "optimizers": trainer.optimizer_states(),
            "scaler": self.fabric.strategy.precision.state_dict(),
            "recipe": self.recipe.model_dump(mode="json"),
            "step": self.done,
            "random": states,
            "alarms": alarms.state(),
            "best": self.best,
            "broken": self.broken,
            "photos": _fingerprint(self.photos),
            "cpu_seconds": self.curve.seconds,
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

    def _load(self, state: dict[str, Any]) -> None:
        """Go on from what `_save` wrote."""
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
        self.networks.load(state)
        if state["scaler"]:
            self.fabric.strategy.precision.load_state_dict(state["scaler"])
        self.optimizers, self.alarm_state = state["optimizers"], state["alarms"]
        self.done, self.best, self.broken = state["step"], state["best"], state["broken"]
        if len(state["random"]) == self.fabric.world_size:
            set_random_state(state["random"][self.fabric.global_rank])


def _with_precision(
    recipe: Recipe, settings: TrainingSettings, state: Mapping[str, Any] | None
) -> Recipe:
    """The recipe with a precision where it says "auto": that of the run, else the faster one."""
    if recipe.precision == "auto" and state is not None:
        return recipe.model_copy(update={"precision": state["recipe"]["precision"]})
    return with_chosen_precision(recipe, settings)


def _reaches_the_end(recipe: Recipe) -> bool:
    """Whether in each phase some term has a gradient for the network's last stage, so for all."""
    return all(
        any(stage in ("all", "refined", -1) for term in phase.terms for stage in term.stages)
        for phase in recipe.phases
    )


def _gathered(mine: dict[str, Any], fabric: Fabric) -> list[dict[str, Any]]:
    """Plain data of all processes, in their order."""
    if fabric.world_size == 1:
        return [mine]
    everyone: list[Any] = [None] * fabric.world_size
    torch.distributed.all_gather_object(everyone, mine)
    return everyone


def _fingerprint(photos: Sequence[PhotoSource]) -> list[int]:
    """How many photos there are, and a checksum of their names in order."""
    names = "\n".join(photo.name for photo in photos)
    return [len(photos), zlib.crc32(names.encode())]
