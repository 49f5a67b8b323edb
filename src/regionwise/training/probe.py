"""What each loss term gives to the gradient at a recipe's beginning: `train --show --probe`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

from regionwise.data.batches import Batch, HolePhotos, draw_holes, families, stream_batches
from regionwise.photos.photo_source import PhotoSource
from regionwise.recipe.schema import Phase, Recipe
from regionwise.training.gradient_budget import BUDGET, gradient_shares
from regionwise.training.guides import stand_in_guide
from regionwise.training.networks import Networks
from regionwise.training.phase_trainer import PhaseTrainer
from regionwise.training.settings import TrainingSettings, make_fabric
from regionwise.training.state import seed_random
from regionwise.training.timetable import timetable

_PICTURES = 4


@dataclass(frozen=True)
class PhaseProbe:
    """A phase's terms.

    Attributes:
        values: of each term, not weighted, by its label.
        shares: of the generator's gradient, as `gradient_budget.gradient_shares`.
    """

    phase: str
    values: Mapping[str, float]
    shares: Mapping[str, float]


def probe(
    recipe: Recipe, photos: Sequence[PhotoSource], feature_files: Mapping[str, Path]
) -> list[PhaseProbe]:
    """One step of each phase from the initial weights, on the CPU in float32.

    Args:
        recipe: is left as it is.
        photos: of which a few are taken; smooth noise stands in for them if there are none.
        feature_files: see `TrainingSettings`.

    Raises:
        RegionwiseError: if weights of feature networks can't be had.
    """
    settings = TrainingSettings(Path(), accelerator="cpu", feature_files=feature_files)
    fabric = make_fabric(settings, "fp32", unused_parameters=False)
    seed_random(recipe.seed)
    networks = Networks(recipe, fabric, checkpoint_gradients=False)
    found = []
    for stretch in timetable(recipe, max(len(photos), 1)):
        phase = stretch.phase
        networks.begin(phase)
        trainer = PhaseTrainer(networks, recipe, stretch, settings, fabric, {})
        batch = _batch(phase, photos, recipe.seed)
        numbers = trainer.joint_sum(trainer.step(batch, stretch.start, probe=True))
        norms = {name: value for name, value in numbers.items() if name.startswith(BUDGET)}
        values = {label: numbers[label] for label in trainer.objective.terms}
        found.append(PhaseProbe(phase.name, values, gradient_shares(norms)))
    return found


def _batch(phase: Phase, photos: Sequence[PhotoSource], seed: int) -> Batch:
    count = max(min(phase.batch, _PICTURES), 1)
    if photos:
        stream = HolePhotos(photos, phase.data, phase.holes, seed)
        return next(iter(stream_batches(stream, count, range(1))))
    size = phase.data.size
    noise = torch.rand(count, 3, -(-size // 8), -(-size // 8))
    image = F.interpolate(noise, (size, size), mode="bilinear", align_corners=False)
    rng = np.random.default_rng(seed)
    known = families(phase.holes)
    masks = [draw_holes(phase.holes, known, size, rng)[0] for _ in range(count)]
    mask = torch.stack([torch.from_numpy(one).float() for one in masks]).unsqueeze(1)
    guide = stand_in_guide(image, phase.data.guide)
    return Batch(image, mask, {}, guide)
