"""The networks, their optimisers, and what one step does to them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from contextlib import ExitStack
from typing import Any

import torch
from lightning_fabric import Fabric
from torch import Tensor, nn

from regionwise.data.batches import Batch
from regionwise.errors import RecipeError
from regionwise.models.prediction import Prediction
from regionwise.recipe.schema import OptimizerSection, Recipe
from regionwise.training.adversary import Adversary, create_discriminator
from regionwise.training.average import ExponentialAverage
from regionwise.training.features import FeatureNetworks
from regionwise.training.gradient_checkpoints import checkpoint_blocks
from regionwise.training.initialization import create_generator
from regionwise.training.objective import Objective
from regionwise.training.settings import Settings
from regionwise.training.timetable import Stretch
from regionwise.training.view import View


class Trainer:
    """The players of a training.

    Attributes:
        generator: the bare network.
        discriminators: the bare networks by the name of the phase that has one of its own; the
            recipe's, for all other phases, as "".
        average: of the generator's weights.
    """

    def __init__(self, recipe: Recipe, settings: Settings, fabric: Fabric) -> None:
        self.recipe, self.settings, self.fabric = recipe, settings, fabric
        self.generator = _placed(create_generator(recipe), fabric)
        if settings.checkpoint_gradients:
            checkpoint_blocks(self.generator)
        self._trainable = [p for p in self.generator.parameters() if p.requires_grad]
        sections = {"": recipe.discriminator}
        sections |= {phase.name: phase.discriminator for phase in recipe.phases}
        self.discriminators = {
            name: _placed(create_discriminator(section), fabric)
            for name, section in sections.items()
            if section is not None
        }
        self.average = ExponentialAverage(self.generator, recipe.ema)
        self.optimizers: dict[str, torch.optim.Optimizer] = {}
        self.states: dict[str, Any] = {}

    def begin(self, stretch: Stretch, *, amid: bool) -> None:
        """Get ready for a phase, from its start or, after `load`, from amid it."""
        self.stretch, phase = stretch, stretch.phase
        self.states = self._optimizer_states()
        if not amid and phase.start == "average":
            self.generator.load_state_dict(self.average.weights)
        features = FeatureNetworks(
            phase.losses,
            random=self.recipe.feature_weights == "random",
            files=dict(self.settings.feature_files),
            device=self.fabric.device,
        )
        self._choose_parts(phase.parts)
        section = self.recipe.adversary_of(phase) if phase.adversarial else None
        self.adversary = Adversary(section) if section else None
        self.objective = Objective(phase.losses, features, self.adversary, self._autocast)
        players: dict[str, nn.Module] = {}
        self.sections = {}
        if phase.parts != ():
            players["generator"], self.sections["generator"] = self.generator, phase.optimizer
        self.discriminator: nn.Module | None = None
        if section:
            self.discriminator = self.discriminators[phase.name if phase.discriminator else ""]
            players["discriminator"] = self.discriminator
            lr = phase.discriminator_lr or section.optimizer.lr
            self.sections["discriminator"] = section.optimizer.model_copy(update={"lr": lr})
        self.optimizers, self._wrapped, self._stepped = {}, {}, {}
        for name, player in players.items():
            self.optimizers[name] = _optimizer(player, self.sections[name])
            compile_it = self.settings.compile and name == "generator"
            compiled: Any = torch.compile(player, dynamic=False) if compile_it else player
            self._wrapped[name], self._stepped[name] = self.fabric.setup(
                compiled, self.optimizers[name]
            )
        if amid or phase.keep_optimizer:
            for name in self.optimizers.keys() & self.states.keys():
                self.optimizers[name].load_state_dict(self.states[name])

    def _choose_parts(self, parts: tuple[str, ...] | None) -> None:
        """Let these modules of the generator be trained, all if None; the others stand still."""
        self.parts = [self.generator]
        if parts is not None:
            try:
                self.parts = [self.generator.get_submodule(part) for part in parts]
            except AttributeError as error:
                raise RecipeError(f"parts: {self.recipe.model.name}: {error}") from error
        chosen = {parameter for part in self.parts for parameter in part.parameters()}
        for parameter in self._trainable:
            parameter.requires_grad_(parameter in chosen)

    def _into_training(self) -> None:
        """The generator into training mode, but for parts that stand still.

        Before each step, as validation shows the network in eval mode.
        """
        self.generator.train()
        if self.stretch.phase.parts is not None:
            for module in self.generator.children():
                module.eval()
            for part in self.parts:
                part.train()

    def step(self, batch: Batch, step: int) -> dict[str, Tensor]:
        """One update of each player; gives the numbers of the step, weighted for `joint_sum`.

        Both gradients are taken at the same weights, then both players move.

        Args:
            batch: this process's share.
            step: its number in the training.
        """
        self._into_training()
        batch = self._moved(batch)
        pictures, hole_share = self._joint(batch.mask)
        for _ in range(self._extra_discriminator_steps()):
            self._discriminate_once(batch, hole_share, pictures, step)
        parts = _cut(batch, self.stretch.phase.accumulate)
        numbers: dict[str, Tensor] = {}
        for optimizer in self.optimizers.values():
            optimizer.zero_grad(set_to_none=True)
        for k, part in enumerate(parts):
            share = len(part.image) / pictures
            with self._no_exchange(k < len(parts) - 1):
                view = self._look(part, hole_share)
                values = self.objective(view, self.discriminator)
                total = self.objective.total(values)
                if "generator" in self.optimizers:
                    self.fabric.backward(total * share * self.fabric.world_size)
                if "discriminator" in self.optimizers:
                    values["discriminator"] = self._discriminator_loss(view)
                    loss = values["discriminator"] * share * self.fabric.world_size
                    self.fabric.backward(loss)
            values["loss"] = total
            for name, value in values.items():
                numbers[name] = numbers.get(name, 0.0) + value.detach() * share
        for name in self.optimizers:
            norm = self._move(name, step)
            label = "gradient" if name == "generator" else f"gradient_{name}"
            numbers[label] = norm / self.fabric.world_size
        self.average.update(self.generator)
        return numbers

    def joint_sum(self, numbers: dict[str, Tensor]) -> dict[str, float]:
        """The numbers of a step, over all processes."""
        values = torch.stack([value.float() for value in numbers.values()])
        if self.fabric.world_size > 1:
            values = self.fabric.all_reduce(values, reduce_op="sum")  # type: ignore[assignment]
        return dict(zip(numbers, values.tolist(), strict=True))

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
        generator = self._wrapped.get("generator", self.generator)
        if batch.guide is None:
            prediction: Prediction = generator(batch.image, batch.mask)
        else:
            along = self.stretch.phase.guide == "true"
            prediction = generator(batch.image, batch.mask, batch.guide, along_guide=along)
        return View(batch.image, batch.mask, prediction, hole_share, batch.guide)

    def _discriminator_loss(self, view: View) -> Tensor:
        assert self.adversary
        compared = self.objective.fakes(view)
        truth, fakes = compared[0].truth, [fake.answer.detach() for fake in compared]
        with self._autocast():
            real, *judged = self.adversary.judge(
                self._wrapped["discriminator"], view.image, view.mask, [truth, *fakes]
            )
        loss = self.adversary.discriminator_loss(real, judged, view.mask)
        if self.adversary.section.loss == "wasserstein":
            assert self.discriminator
            loss = loss + self.adversary.gradient_penalty(
                self.discriminator, view.image, view.mask, truth, fakes, len(real)
            )
        return loss

    def _discriminate_once(
        self, batch: Batch, hole_share: float, pictures: float, step: int
    ) -> None:
        """A step of the discriminator alone, before the common one."""
        self.optimizers["discriminator"].zero_grad(set_to_none=True)
        with torch.no_grad():
            view = self._look(batch, hole_share)
        loss = self._discriminator_loss(view)
        self.fabric.backward(loss * len(batch.image) / pictures * self.fabric.world_size)
        self._move("discriminator", step)

    def _move(self, name: str, step: int) -> Tensor:
        """Clip the player's gradient and step along it; gives its norm before."""
        section, optimizer = self.sections[name], self._stepped[name]
        for group in self.optimizers[name].param_groups:
            group["lr"] = self.stretch.rate(section, step)
        norm: Tensor = self.fabric.clip_gradients(  # type: ignore[assignment]
            self._wrapped[name],
            optimizer,
            max_norm=section.clip or math.inf,
            error_if_nonfinite=False,
        )
        optimizer.step()
        return norm

    def _extra_discriminator_steps(self) -> int:
        return self.adversary.section.steps - 1 if self.adversary else 0

    def _no_exchange(self, enabled: bool) -> Any:
        """Gradients are exchanged with other processes after the last part only."""
        stack = ExitStack()
        for network in self._wrapped.values():
            stack.enter_context(self.fabric.no_backward_sync(network, enabled=enabled))
        return stack

    def _autocast(self) -> Any:
        return self.fabric.autocast()

    def state(self) -> dict[str, Any]:
        """Weights, averages, optimisers and scaler, as tensors and plain data."""
        judges = {name: one.state_dict() for name, one in self.discriminators.items()}
        return {
            "generator": self.generator.state_dict(),
            "discriminator": judges.pop("", None),
            "phase_discriminators": judges,
            "average": self.average.weights,
            "updates": self.average.updates,
            "optimizers": self._optimizer_states(),
            "scaler": self.fabric.strategy.precision.state_dict(),
        }

    def _optimizer_states(self) -> dict[str, Any]:
        """Of this phase's optimisers; before a phase begins, those that were loaded."""
        return {name: one.state_dict() for name, one in self.optimizers.items()} or self.states

    def load(self, state: Mapping[str, Any]) -> None:
        """Go on from `state()`; the optimisers' part is for `begin`."""
        self.states = state["optimizers"]
        self.generator.load_state_dict(state["generator"])
        judges = {"": state["discriminator"]} | state.get("phase_discriminators", {})
        for name, discriminator in self.discriminators.items():
            discriminator.load_state_dict(judges[name])
        for key, value in state["average"].items():
            self.average.weights[key].copy_(value)
        self.average.updates = state["updates"]
        if state["scaler"]:
            self.fabric.strategy.precision.load_state_dict(state["scaler"])


def _placed(network: nn.Module, fabric: Fabric) -> nn.Module:
    """On the device, convolutions channels last; batch norms see all processes' pictures."""
    if fabric.world_size > 1 and fabric.device.type == "cuda":
        network = nn.SyncBatchNorm.convert_sync_batchnorm(network)  # type: ignore[no-untyped-call]
    return network.to(fabric.device, memory_format=torch.channels_last)  # type: ignore[call-overload, no-any-return]


def _cut(batch: Batch, count: int) -> list[Batch]:
    """A batch in parts, for one gradient after the other."""
    count = min(count, len(batch.image))
    images, masks = batch.image.tensor_split(count), batch.mask.tensor_split(count)
    guides = [None] * count if batch.guide is None else batch.guide.tensor_split(count)
    parts = zip(images, masks, guides, strict=True)
    return [Batch(image, mask, {}, guide) for image, mask, guide in parts]


def _optimizer(network: nn.Module, section: OptimizerSection) -> torch.optim.Optimizer:
    """Of the parameters that are trained."""
    parameters = [parameter for parameter in network.parameters() if parameter.requires_grad]
    lr, decay = section.lr, section.weight_decay
    if section.name == "adadelta":
        return torch.optim.Adadelta(parameters, lr=lr, weight_decay=decay)
    return torch.optim.Adam(parameters, lr=lr, betas=section.betas, weight_decay=decay)
