"""The networks of a training: generator, discriminators, and the generator's averaged weights."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from lightning_fabric import Fabric
from torch import nn

from regionwise.discriminators.registry import create_discriminator
from regionwise.recipe.schema import Phase, Recipe
from regionwise.training.average import ExponentialAverage
from regionwise.training.gradient_checkpoints import checkpoint_blocks
from regionwise.training.initialization import create_generator


class Networks:
    """All networks, on the device, from the first phase to the last.

    Attributes:
        generator: the bare network.
        trainable: those of its parameters that may be trained.
        discriminators: the bare networks by the name of the phase that has one of its own; the
            recipe's, for all other phases, as "".
        average: of the generator's weights.
    """

    def __init__(self, recipe: Recipe, fabric: Fabric, *, checkpoint_gradients: bool) -> None:
        together = recipe.sync_batch_norm and fabric.world_size > 1
        self.generator = _placed(create_generator(recipe), fabric, together=together)
        if checkpoint_gradients:
            checkpoint_blocks(self.generator)
        self.trainable = [p for p in self.generator.parameters() if p.requires_grad]
        sections = {"": recipe.discriminator}
        sections |= {phase.name: phase.discriminator for phase in recipe.phases}
        self.discriminators = {
            name: _placed(
                create_discriminator(section.name, section.options), fabric, together=together
            )
            for name, section in sections.items()
            if section is not None
        }
        self.average = ExponentialAverage(self.generator, recipe.ema)

    def begin(self, phase: Phase) -> None:
        """Give the generator the weights with which a phase starts."""
        if phase.start == "average":
            self.generator.load_state_dict(self.average.weights)

    def discriminator_of(self, phase: Phase) -> nn.Module | None:
        """The one that takes part in a phase, if any does."""
        if not phase.adversarial:
            return None
        return self.discriminators[phase.name if phase.discriminator else ""]

    def state(self) -> dict[str, Any]:
        """Weights and averages."""
        discriminators = {name: one.state_dict() for name, one in self.discriminators.items()}
        return {
            "generator": self.generator.state_dict(),
            "discriminator": discriminators.pop("", None),
            "phase_discriminators": discriminators,
            "average": self.average.weights,
            "updates": self.average.updates,
        }

    def load(self, state: Mapping[str, Any]) -> None:
        """Go on from `state()`."""
        self.generator.load_state_dict(state["generator"])
        weights = {"": state["discriminator"]} | state["phase_discriminators"]
        for name, discriminator in self.discriminators.items():
            discriminator.load_state_dict(weights[name])
        for key, value in state["average"].items():
            self.average.weights[key].copy_(value)
        self.average.updates = state["updates"]


def _placed(network: nn.Module, fabric: Fabric, *, together: bool) -> nn.Module:
    """On the device, convolutions channels last; batch norms see all GPUs' pictures if wanted."""
    if together and fabric.device.type == "cuda":
        network = nn.SyncBatchNorm.convert_sync_batchnorm(network)  # type: ignore[no-untyped-call]
    return network.to(fabric.device, memory_format=torch.channels_last)  # type: ignore[call-overload, no-any-return]
