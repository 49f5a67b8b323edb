"""Each recipe, scaled down, learns one batch by heart: with all its terms, phases and players."""

import math
from pathlib import Path

import pytest
import torch

from regionwise.data import HolePhotos, stream_batches
from regionwise.photo_sources import find_photos
from regionwise.recipe import override, read_recipe
from regionwise.recipe.losses import AdversarialTerm, FeatureMatchingTerm
from regionwise.training.settings import Settings, make_fabric
from regionwise.training.timetable import timetable
from regionwise.training.trainer import Trainer

RECIPES = Path(__file__).parents[2] / "recipes"
NAMES = sorted(file.stem for file in RECIPES.glob("*.yaml"))
STEPS = 12

SMALL = {
    "rn": ["model.options.width=4", "model.options.blocks=1"],
    "region-wise": ["model.options.width=4"],
    "pconv": ["model.options.width=4", "model.options.levels=5"],
    "deepfillv2": ["model.options.width=8"],
    "lbam": ["model.options.width=4", "model.options.levels=5"],
    "pennet": ["model.options.width=8"],
    "madf": ["model.options.width=8", "model.options.levels=5"],
    "deepgin": ["model.options.width=4", "model.options.blocks=2"],
}


def scaled_down(name):
    """Narrow networks, small pictures, a constant rate, random features."""
    recipe = read_recipe(RECIPES / f"{name}.yaml")
    scale = "null" if recipe.phases[0].data.scale is None else 128
    changes = [
        *SMALL[recipe.model.name],
        "data.size=64",
        f"data.scale={scale}",
        "batch=2",
        "feature_weights=random",
        "precision=fp32",
        "optimizer.lr=2e-3",
        "optimizer.warmup=0",
        "optimizer.schedule={name: constant}",
    ]
    if recipe.discriminator is not None:
        changes += ["discriminator.options={width: 4}", "discriminator.optimizer.schedule={}"]
    return override(recipe, changes)


@pytest.mark.parametrize("name", NAMES)
def test_a_batch_is_learned_by_heart(name, folder, tmp_path):
    recipe = scaled_down(name)
    settings = Settings(run=tmp_path, accelerator="cpu")
    fabric = make_fabric(settings, "fp32", unused_parameters=False)
    torch.manual_seed(0)
    trainer = Trainer(recipe, settings, fabric)
    photos = find_photos([folder])
    first = recipe.phases[0]
    (batch,) = stream_batches(HolePhotos(photos, first.data, first.holes, 0), 2, range(1))
    for stretch in timetable(recipe, photos=4):
        trainer.begin(stretch, amid=False)
        seen = [trainer.step(batch, stretch.start) for _ in range(STEPS)]
        values = [trainer.joint_sum(numbers) for numbers in seen]
        assert all(math.isfinite(value) for numbers in values for value in numbers.values())
        # Players of a game push one another; the rest of the loss must fall.
        rest = [
            sum(
                term.weight * numbers[label]
                for label, term in trainer.objective.terms.items()
                if not isinstance(term, AdversarialTerm | FeatureMatchingTerm)
            )
            for numbers in values
        ]
        assert min(rest[-3:]) < 0.95 * rest[0]
        if stretch.phase.adversarial:
            assert values[-1]["gradient_discriminator"] > 0
