"""The training loop, to be read from top to bottom."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.utils.tensorboard import SummaryWriter

from regionwise.data import HolePhotos, StoredPhoto, stream_batches
from regionwise.losses.adversarial import hinge_discriminator, hinge_generator, hole_patches
from regionwise.losses.feature_matching import feature_matching
from regionwise.losses.feature_network import DarknetFeatures
from regionwise.losses.perceptual import perceptual, style
from regionwise.losses.reconstruction import hole_l1
from regionwise.models.discriminators import PatchDiscriminator
from regionwise.models.prediction import compose
from regionwise.models.registry import create_model
from regionwise.recipe import OptimizerSection, PhaseSection, Recipe
from regionwise.training.previews import preview_grid
from regionwise.training.state import ExponentialAverage, read_state, write_atomically

Report = Callable[[int, dict[str, float]], None]


@dataclass
class Settings:
    """What does not change the result, or only where it is: not part of the recipe."""

    run: Path
    workers: int = 2
    compile: bool = False
    features: Path | None = None
    checkpoint_every: int = 500
    preview_every: int = 500


def train(
    recipe: Recipe,
    photos: list[StoredPhoto],
    settings: Settings,
    *,
    resume: bool = False,
    report: Report = lambda step, losses: None,
) -> None:
    """Train all phases of a recipe; leaves `last.pt` in the run's folder.

    Args:
        recipe: what to train.
        photos: from `regionwise.data.find_photos`.
        settings: where and how.
        resume: go on from `last.pt`.
        report: called after each step with the step's number and losses.
    """
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    torch.manual_seed(recipe.seed)
    generator = create_model(recipe.model.name, **recipe.model.options)
    generator = generator.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    discriminator = PatchDiscriminator(width=recipe.discriminator.width)
    discriminator = discriminator.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    average = ExponentialAverage(generator, recipe.ema)
    state = read_state(settings.run / "last.pt") if resume else None
    first_step = 0
    if state:
        generator.load_state_dict(state["generator"])
        discriminator.load_state_dict(state["discriminator"])
        average.weights, average.updates = state["average"], state["updates"]
        torch.set_rng_state(state["random"])
        first_step = state["step"]
    settings.run.mkdir(parents=True, exist_ok=True)
    with SummaryWriter(str(settings.run)) as board:
        start = 0
        for index, phase in enumerate(recipe.phases):
            end = start + phase.steps
            if first_step < end:
                trainer = PhaseTrainer(
                    recipe, phase, generator, discriminator, settings, device, average
                )
                if state and state["phase"] == index:
                    trainer.load_optimizers(state)
                data = HolePhotos(
                    photos, phase.size, phase.holes.mixture, phase.holes.ratio, recipe.seed
                )
                batches = stream_batches(
                    data, phase.batch, max(first_step, start), end, settings.workers
                )
                for step, (image, mask) in enumerate(batches, start=max(first_step, start)):
                    losses = trainer.step(image, mask, step - start)
                    for name, value in losses.items():
                        board.add_scalar(f"{phase.name}/{name}", value, step)
                    report(step, losses)
                    done = step + 1
                    if done % settings.preview_every == 0 or done == end:
                        grid = preview_grid(generator, image[:6].to(device), mask[:6].to(device))
                        board.add_image("preview", grid, step)
                    if done % settings.checkpoint_every == 0 or done == end:
                        write_atomically(
                            trainer.state() | {"step": done, "phase": index},
                            settings.run / "last.pt",
                        )
            start = end


class PhaseTrainer:
    """The networks, losses and optimisers of one phase."""

    def __init__(
        self,
        recipe: Recipe,
        phase: PhaseSection,
        generator: nn.Module,
        discriminator: nn.Module,
        settings: Settings,
        device: torch.device,
        average: ExponentialAverage,
    ) -> None:
        self.recipe, self.phase, self.device, self.average = recipe, phase, device, average
        self.generator, self.discriminator = generator, discriminator
        self.forward = torch.compile(generator) if settings.compile else generator
        self.generator_optimizer = _adam(generator, phase.generator)
        self.discriminator_optimizer = (
            _adam(discriminator, phase.discriminator) if phase.discriminator else None
        )
        weights = phase.losses
        self.features = (
            DarknetFeatures(settings.features).to(device)
            if settings.features and (weights.perceptual or weights.style)
            else None
        )

    def step(self, image: Tensor, mask: Tensor, step: int) -> dict[str, float]:
        """One step of the generator and, where the phase has one, of the discriminator."""
        image = image.to(self.device, memory_format=torch.channels_last)
        mask = mask.to(self.device)
        with self._autocast():
            answer = self.forward(image, mask).answer
        answer = answer.float()
        filled = compose(image, mask, answer)
        losses = {"hole_l1": hole_l1(answer, image, mask)}
        if self.features:
            with self._autocast():
                of_truth, of_filled = self.features(image), self.features(filled)
            mean = [1 / len(of_truth)] * len(of_truth)
            losses["perceptual"] = perceptual(of_filled, of_truth, mean)
            losses["style"] = style(of_filled, of_truth, mean)
        critic = {}
        if self.discriminator_optimizer and self.phase.discriminator:
            critic = self._discriminate(image, filled.detach(), mask, step)
            self.discriminator.requires_grad_(False)
            with self._autocast():
                fake, of_filled = self.discriminator(filled)
                _, of_truth = self.discriminator(image)
            self.discriminator.requires_grad_(True)
            losses["adversarial"] = hinge_generator(fake.float(), hole_patches(mask, fake))
            losses["feature_matching"] = feature_matching(of_filled, of_truth)
        weights = self.phase.losses.model_dump()
        total = torch.stack([weights[name] * loss for name, loss in losses.items()]).sum()
        _update(
            self.generator,
            self.generator_optimizer,
            total,
            self.phase.generator,
            step,
            self.phase.steps,
        )
        self.average.update(self.generator)
        return {name: loss.item() for name, loss in losses.items()} | critic

    def _discriminate(
        self, real: Tensor, fake: Tensor, mask: Tensor, step: int
    ) -> dict[str, float]:
        assert self.discriminator_optimizer
        assert self.phase.discriminator
        with self._autocast():
            of_real, of_fake = self.discriminator(real)[0], self.discriminator(fake)[0]
        patches = hole_patches(mask, of_real)
        loss = hinge_discriminator(of_real.float(), of_fake.float(), patches)
        _update(
            self.discriminator,
            self.discriminator_optimizer,
            loss,
            self.phase.discriminator,
            step,
            self.phase.steps,
        )
        return {"discriminator": loss.item()}

    def _autocast(self) -> torch.autocast:
        half = self.recipe.precision == "bfloat16"
        return torch.autocast(self.device.type, torch.bfloat16, enabled=half)

    def state(self) -> dict[str, object]:
        """All that a resumed training needs, as tensors and plain data."""
        critic = self.discriminator_optimizer
        return {
            "recipe": self.recipe.model_dump(mode="json"),
            "generator": self.generator.state_dict(),
            "discriminator": self.discriminator.state_dict(),
            "average": self.average.weights,
            "updates": self.average.updates,
            "generator_optimizer": self.generator_optimizer.state_dict(),
            "discriminator_optimizer": critic.state_dict() if critic else None,
            "random": torch.get_rng_state(),
        }

    def load_optimizers(self, state: dict[str, object]) -> None:
        """Take the optimisers' state from `state()`."""
        self.generator_optimizer.load_state_dict(state["generator_optimizer"])  # type: ignore[arg-type]
        if self.discriminator_optimizer:
            self.discriminator_optimizer.load_state_dict(state["discriminator_optimizer"])  # type: ignore[arg-type]


def _adam(network: nn.Module, section: OptimizerSection) -> torch.optim.Adam:
    return torch.optim.Adam(network.parameters(), lr=section.lr, betas=section.betas)


def _update(
    network: nn.Module,
    optimizer: torch.optim.Adam,
    loss: Tensor,
    section: OptimizerSection,
    step: int,
    steps: int,
) -> None:
    """One gradient step at the rate of the schedule."""
    for group in optimizer.param_groups:
        group["lr"] = section.lr * rate_factor(section, step, steps)
    optimizer.zero_grad(set_to_none=True)
    loss.backward()  # type: ignore[no-untyped-call]
    if section.clip:
        nn.utils.clip_grad_norm_(network.parameters(), section.clip)
    optimizer.step()


def rate_factor(section: OptimizerSection, step: int, steps: int) -> float:
    """What the learning rate is multiplied by at a step of a phase."""
    if step < section.warmup:
        return (step + 1) / section.warmup
    if section.schedule == "constant":
        return 1.0
    progress = (step - section.warmup) / max(steps - section.warmup, 1)
    return 0.1 + 0.45 * (1 + math.cos(math.pi * progress))
