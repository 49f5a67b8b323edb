"""What a recipe's networks cost, measured by running them once: for `regionwise train --show`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from regionwise.discriminators.registry import create_discriminator
from regionwise.models.cost import count_cost
from regionwise.recipe.schema import Phase, Recipe


@dataclass(frozen=True)
class PhaseCosts:
    """What a phase needs.

    Attributes:
        multiplications: multiply-accumulates of the generator's forward pass for a picture, in
            convolutions and products of matrices alone.
        kept: bytes that it keeps of a picture for the gradient.
        memory: bytes of weights, gradients, Adam's moments and averages in float32, and of what a
            part of a batch keeps on one device. Feature networks and work space come on top.
    """

    multiplications: int
    kept: int
    memory: int


def parameter_count(network: nn.Module) -> int:
    """Trained numbers of a network."""
    return sum(p.numel() for p in network.parameters())


def phase_discriminator(recipe: Recipe, phase: Phase) -> nn.Module | None:
    """What a phase's generator plays against, with fresh weights."""
    section = recipe.discriminator_of(phase) if phase.adversarial else None
    return None if section is None else create_discriminator(section.name, section.options)


def phase_costs(
    recipe: Recipe, phase: Phase, generator: nn.Module, discriminator: nn.Module | None
) -> PhaseCosts:
    """Run the networks of a phase once on a picture of its size, and count."""
    size = phase.data.size
    image, mask = torch.rand(1, 3, size, size), torch.zeros(1, 1, size, size)
    mask[..., size // 4 : size // 2, size // 4 : size // 2] = 1
    generator.train()
    with _kept_tensors() as kept:
        generator(image, mask)
    cost = count_cost(recipe.model.name, size, **recipe.model.options)
    own = {p.data_ptr() for p in generator.parameters()}
    kept_bytes = sum(size for pointer, size in kept.items() if pointer not in own)
    pictures = phase.batch * phase.holes.per_photo / phase.accumulate
    weights = 4 * 5 * parameter_count(generator)
    if discriminator is not None:
        weights += 4 * 4 * parameter_count(discriminator)
    return PhaseCosts(cost.ours, kept_bytes, weights + int(pictures * kept_bytes))


@contextmanager
def _kept_tensors() -> Iterator[dict[int, int]]:
    """Addresses and bytes of all storages that are kept for a gradient."""
    kept: dict[int, int] = {}
    alive: list[Any] = []

    def pack(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        kept[storage.data_ptr()] = storage.nbytes()
        alive.append(tensor)  # or its address would be given away again
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        yield kept
