"""One phase of a training: its players and losses, and what one step does."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from typing import Any

import torch
from lightning_fabric import Fabric
from torch import Tensor, nn

from regionwise.data.batches import Batch
from regionwise.discriminators.discriminator import judge_all
from regionwise.losses.adversarial.registry import create_adversarial_loss
from regionwise.models.prediction import Prediction
from regionwise.recipe.schema import Recipe
from regionwise.training.features import FeatureNetworks
from regionwise.training.networks import Networks
from regionwise.training.objective import Objective
from regionwise.training.players import Player, choose_parts
from regionwise.training.settings import TrainingSettings
from regionwise.training.timetable import Stretch
from regionwise.training.view import View


class PhaseTrainer:
    """Trains the networks for a phase, step by step.

    Args:
        networks: what is trained.
        recipe: of the whole training.
        stretch: the phase and its place.
        settings: where and how.
        fabric: devices, processes and precision.
        optimizers: states to go on from, by player; fresh optimisers where there is none.

    Attributes:
        players: "generator" and "discriminator", as far as they take part.
    """

    def __init__(
        self,
        networks: Networks,
        recipe: Recipe,
        stretch: Stretch,
        settings: TrainingSettings,
        fabric: Fabric,
        optimizers: Mapping[str, Mapping[str, Any]],
    ) -> None:
        self.networks, self.stretch, self.fabric = networks, stretch, fabric
        phase = self.phase = stretch.phase
        self.parts = choose_parts(networks.generator, networks.trainable, phase.parts)
        self.discriminator = networks.discriminator_of(phase)
        section = recipe.discriminator_of(phase) if phase.adversarial else None
        self.extra_discriminator_steps = section.steps - 1 if section else 0
        self.adversarial_loss = (
            create_adversarial_loss(section.loss.name, section.loss.options) if section else None
        )
        features = FeatureNetworks(
            phase.terms,
            random=recipe.feature_weights == "random",
            files=settings.feature_files,
            device=fabric.device,
        )
        self.objective = Objective(phase.terms, features, self.adversarial_loss, self._autocast)
        self.players: dict[str, Player] = {}
        if phase.parts != ():
            self.players["generator"] = Player(
                networks.generator,
                phase.optimizer,
                stretch,
                fabric,
                compiled=settings.compile,
                state=optimizers.get("generator"),
            )
        if section and self.discriminator:
            lr = phase.discriminator_lr or section.optimizer.lr
            self.players["discriminator"] = Player(
                self.discriminator,
                section.optimizer.model_copy(update={"lr": lr}),
                stretch,
                fabric,
                state=optimizers.get("discriminator"),
            )

    def step(self, batch: Batch, step: int, *, probe: bool = False) -> dict[str, Tensor]:
        """One update of each player; gives the numbers of the step, weighted for `joint_sum`.

        Both gradients are taken at the same weights, then both players move.

        Args:
            batch: this process's share.
            step: its number in the training.
            probe: whether to measure the norm of each term's gradient, as "budget/LABEL".
        """
        self._into_training()
        batch = self._moved(batch)
        pictures, hole_share = self._joint(batch.mask)
        for _ in range(self.extra_discriminator_steps):
            self._discriminate_once(batch, hole_share, pictures, step)
        for player in self.players.values():
            player.forget_gradient()
        numbers: dict[str, Tensor] = {}
        parts = _cut(batch, self.phase.accumulate)
        for k, part in enumerate(parts):
            share = len(part.image) / pictures
            with self._no_exchange(k < len(parts) - 1):
                values = self._backward(part, hole_share, share, probe=probe)
            for name, value in values.items():
                numbers[name] = numbers.get(name, 0.0) + value.detach() * share
        for name, player in self.players.items():
            norm = player.move(step)
            label = "gradient" if name == "generator" else f"gradient_{name}"
            numbers[label] = norm / self.fabric.world_size
        self.networks.average.update(self.networks.generator)
        return numbers

    def joint_sum(self, numbers: dict[str, Tensor]) -> dict[str, float]:
        """The numbers of a step, over all processes."""
        values = torch.stack([value.float() for value in numbers.values()])
        if self.fabric.world_size > 1:
            values = self.fabric.all_reduce(values, reduce_op="sum")  # type: ignore[assignment]
        return dict(zip(numbers, values.tolist(), strict=True))

    def optimizer_states(self) -> dict[str, Any]:
        """Of each player's optimiser."""
        return {name: player.optimizer.state_dict() for name, player in self.players.items()}

    def _backward(
        self, part: Batch, hole_share: float, share: float, *, probe: bool
    ) -> dict[str, Tensor]:
        """Add this part's gradients to both players'; gives the losses."""
        view = self._look(part, hole_share)
        values = self.objective(view, self.discriminator)
        norms = self.objective.gradient_norms(values, view) if probe else {}
        total = self.objective.total(values)
        scale = share * self.fabric.world_size
        if "generator" in self.players:
            self.fabric.backward(total * scale)
        if "discriminator" in self.players:
            values["discriminator"] = self._discriminator_loss(view)
            self.fabric.backward(values["discriminator"] * scale)
        return values | {"loss": total} | {f"budget/{k}": norm for k, norm in norms.items()}

    def _into_training(self) -> None:
        """The generator into training mode, but for parts that stand still.

        Before each step, as validation shows the network in eval mode.
        """
        self.networks.generator.train()
        if self.phase.parts is not None:
            for module in self.networks.generator.children():
                module.eval()
            for part in self.parts:
                part.train()

    def _joint(self, mask: Tensor) -> tuple[float, float]:
        """Pictures of the step over all processes, and their share of missing pixels."""
        counts = torch.tensor([len(mask), mask.mean(dtype=torch.float64) * len(mask)])
        counts = counts.double()
        if self.fabric.world_size > 1:
            counts = self.fabric.all_reduce(counts.to(self.fabric.device), reduce_op="sum")  # type: ignore[assignment]
        pictures, missing = counts.tolist()
        return pictures, missing / pictures

    def _moved(self, batch: Batch) -> Batch:
        """A batch on the device."""
        device = self.fabric.device
        image = batch.image.to(device, non_blocking=True)
        guide = batch.guide
        return Batch(
            image.contiguous(memory_format=torch.channels_last),
            batch.mask.to(device, non_blocking=True),
            batch.broken,
            guide if guide is None else guide.to(device, non_blocking=True),
        )

    def _look(self, batch: Batch, hole_share: float) -> View:
        # A generator that stands still is not wrapped: it computes in float32, without gradients.
        player = self.players.get("generator")
        generator: nn.Module = player.wrapped if player else self.networks.generator
        if batch.guide is None:
            prediction: Prediction = generator(batch.image, batch.mask)
        else:
            along = self.phase.guide == "true"
            prediction = generator(batch.image, batch.mask, batch.guide, along_guide=along)
        if self.phase.clip_pictures:
            prediction = _clipped(prediction)
        return View(batch.image, batch.mask, _detour(prediction), hole_share, batch.guide)

    def _discriminator_loss(self, view: View) -> Tensor:
        """Over all scales and fakes, with the penalty of those losses that have one."""
        assert self.adversarial_loss
        compared = self.objective.fakes(view)
        truth, fakes = compared[0].truth, [fake.answer.detach() for fake in compared]
        network = self.players["discriminator"].wrapped
        with self._autocast():
            real, *judged = judge_all(network, [truth, *fakes], view.image, view.mask)
        losses = []
        for number, scale in enumerate(real):
            of_fakes = [judgement[number].scores for judgement in judged]
            losses.append(self.adversarial_loss.discriminator(scale.scores, of_fakes, view.mask))
        for fake in fakes:
            for number in range(len(real)):
                scores_of = partial(self._scores, view=view, scale=number)
                losses.append(self.adversarial_loss.penalty(scores_of, truth, fake, view.mask))
        return torch.stack(losses).sum()

    def _scores(self, candidate: Tensor, view: View, scale: int) -> Tensor:
        """Of the bare discriminator, as a penalty is differentiated twice."""
        assert self.discriminator
        (judgement,) = judge_all(self.discriminator, [candidate], view.image, view.mask)
        return judgement[scale].scores

    def _discriminate_once(
        self, batch: Batch, hole_share: float, pictures: float, step: int
    ) -> None:
        """A step of the discriminator alone, before the common one."""
        player = self.players["discriminator"]
        player.forget_gradient()
        with torch.no_grad():
            view = self._look(batch, hole_share)
        loss = self._discriminator_loss(view)
        self.fabric.backward(loss * len(batch.image) / pictures * self.fabric.world_size)
        player.move(step)

    def _no_exchange(self, enabled: bool) -> Any:
        """Gradients are exchanged with other processes after the last part only."""
        stack = ExitStack()
        for player in self.players.values():
            stack.enter_context(self.fabric.no_backward_sync(player.wrapped, enabled=enabled))
        return stack

    def _autocast(self) -> Any:
        return self.fabric.autocast()


def _clipped(prediction: Prediction) -> Prediction:
    """The same pictures with values in [0, 1]."""
    low = prediction.low_resolution
    stages = [stage.clamp(0, 1) for stage in prediction.stages]
    return replace(
        prediction, stages=stages, low_resolution=None if low is None else low.clamp(0, 1)
    )


def _detour(prediction: Prediction) -> Prediction:
    """The same pictures as other nodes of the graph.

    Fabric lets no gradient reach its module's own outputs but by its own backward pass; so those
    that `Objective.gradient_norms` asks for stop here.
    """
    low, guide = prediction.low_resolution, prediction.guide
    return replace(
        prediction,
        stages=[stage.view_as(stage) for stage in prediction.stages],
        low_resolution=None if low is None else low.view_as(low),
        guide=None if guide is None else guide.view_as(guide),
    )


def _cut(batch: Batch, count: int) -> list[Batch]:
    """A batch in parts, for one gradient after the other."""
    count = min(count, len(batch.image))
    images, masks = batch.image.tensor_split(count), batch.mask.tensor_split(count)
    guides = [None] * count if batch.guide is None else batch.guide.tensor_split(count)
    parts = zip(images, masks, guides, strict=True)
    return [Batch(image, mask, {}, guide) for image, mask, guide in parts]
