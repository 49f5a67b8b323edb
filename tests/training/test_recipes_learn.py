"""Each recipe, scaled down, learns one batch by heart: with all its terms, phases and players."""

import json
import math
from pathlib import Path

import pytest
import torch

from regionwise.data.batches import HolePhotos, stream_batches
from regionwise.data.photo_sources import find_photos
from regionwise.models.registry import network_card
from regionwise.recipe import override, read_recipe
from regionwise.recipe.losses import AdversarialTerm, FeatureMatchingTerm, FeatureTerm
from regionwise.training.networks import Networks
from regionwise.training.objective import labels
from regionwise.training.phase_trainer import PhaseTrainer
from regionwise.training.settings import TrainingSettings, make_fabric
from regionwise.training.timetable import timetable

RECIPES = Path(__file__).parents[2] / "recipes"
NAMES = [*sorted(file.stem for file in RECIPES.glob("*.yaml")), "bakeoff/madf"]
PARAMETERS = [
    pytest.param(name, marks=[pytest.mark.slow] if name == "deepgin-released" else [])
    for name in NAMES
]
GAMES = ["hinge", "non-saturating", "least-squares", "wasserstein"]
STEPS = 8

RATES = {"glcic": 1, "deepgin": 2e-4}
"""Learning rates of networks to which 2e-3 is none."""
FROM_SMALL_WEIGHTS = {"deepgin-released": ["optimizer.lr=4e-3"]}
"""All layers begin with a tenth of Kaiming's: the first steps take longer."""
SMALL_DISCRIMINATORS = {
    "local-global": {"size": 32, "window": 16},
    "local-global-critics": {"size": 32, "window": 16},
}


def scaled_down(name):
    """Narrow networks, small pictures, a constant rate, random features."""
    recipe = read_recipe(RECIPES / f"{name}.yaml")
    slim = network_card(recipe.model.name).slim
    scale = "null" if recipe.phases[0].data.scale is None else 64
    changes = [
        "data.size=32",
        f"data.scale={scale}",
        "batch=2",
        "feature_weights=random",
        "precision=fp32",
        f"optimizer.lr={RATES.get(recipe.model.name, 2e-3)}",
        *(f"model.options.{option}={json.dumps(value)}" for option, value in slim.items()),
        *FROM_SMALL_WEIGHTS.get(name, []),
        "optimizer.warmup=0",
        "optimizer.schedule={name: constant}",
    ]
    for phase in recipe.phases:
        sized = {t.name for t in phase.losses if isinstance(t, FeatureTerm) and t.features.size}
        changes += [f"phases.{phase.name}.losses.{loss}.features.size=32" for loss in sized]
        darknet = [
            t.name
            for t in phase.losses
            if isinstance(t, FeatureTerm) and t.features.network == "darknet"
        ]
        vgg = "{network: vgg16, layers: [pool1, pool2]}"  # Darknet has no random weights
        changes += [f"phases.{phase.name}.losses.{loss}.features={vgg}" for loss in darknet]
        if not reconstruction(phase) and phase.parts != ():  # against one that stands still
            changes.append(f"phases.{phase.name}.discriminator_lr=1e-12")
        changes += narrow_discriminator(f"phases.{phase.name}.discriminator", phase.discriminator)
    changes += narrow_discriminator("discriminator", recipe.discriminator)
    return override(recipe, changes)


def narrow_discriminator(key, section):
    if section is None:
        return []
    options = section.options | {"width": 4} | SMALL_DISCRIMINATORS.get(section.name, {})
    return [f"{key}.options={json.dumps(options)}", f"{key}.optimizer.schedule={{}}"]


def reconstruction(phase):
    """Terms that no one works against, by their labels."""
    pairs = zip(labels(phase.losses), phase.losses, strict=True)
    return {k: t for k, t in pairs if not isinstance(t, AdversarialTerm | FeatureMatchingTerm)}


def learned(phase, numbers):
    """The number that must fall: players of a game push one another, the rest they can't."""
    if phase.parts == ():
        return numbers["discriminator"]
    terms = reconstruction(phase)
    return sum(t.weight * numbers[k] for k, t in terms.items()) if terms else numbers["loss"]


def players(recipe, folder, run):
    """What makes a phase's trainer, and a batch of two photos."""
    settings = TrainingSettings(run=run, accelerator="cpu")
    torch.manual_seed(0)
    fabric = make_fabric(settings, "fp32", unused_parameters=False)
    networks = Networks(recipe, fabric, checkpoint_gradients=False)
    phase = recipe.phases[0]
    photos = HolePhotos(find_photos([folder]), phase.data, phase.holes, seed=0)
    (batch,) = stream_batches(photos, 2, range(1))

    def trainer_of(stretch):
        networks.begin(stretch.phase)
        return PhaseTrainer(networks, recipe, stretch, settings, fabric, {})

    return trainer_of, batch


@pytest.mark.parametrize("name", PARAMETERS)
def test_a_batch_is_learned_by_heart(name, folder, tmp_path):
    recipe = scaled_down(name)
    trainer_of, batch = players(recipe, folder, tmp_path)
    learned_before = None
    for stretch in timetable(recipe, photos=4):
        trainer = trainer_of(stretch)
        goes_on = stretch.phase.losses == learned_before  # with what it has learned already
        learned_before = stretch.phase.losses
        seen = [trainer.step(batch, stretch.start) for _ in range(STEPS)]
        values = [trainer.joint_sum(numbers) for numbers in seen]
        assert all(math.isfinite(value) for numbers in values for value in numbers.values())
        losses = [learned(stretch.phase, numbers) for numbers in values]
        assert min(losses[-3:]) < (1.0 if goes_on else 0.95) * losses[0]
        if stretch.phase.adversarial:
            assert values[-1]["gradient_discriminator"] > 0


@pytest.mark.parametrize("game", GAMES)
def test_a_discriminator_learns_to_tell_true_from_filled(game, folder, tmp_path):
    """Two of its steps for each one of a generator that stands still."""
    changes = [f"discriminator.loss={game}", "discriminator.steps=2", "optimizer.lr=1e-12"]
    changes.append("losses.adversarial.stage=all")
    recipe = override(scaled_down("../tests/training/rn"), changes)
    trainer_of, batch = players(recipe, folder, tmp_path)
    trainer = trainer_of(timetable(recipe, photos=4)[1])
    losses = [float(trainer.step(batch, 60)["discriminator"]) for _ in range(12)]
    assert all(math.isfinite(loss) for loss in losses)
    assert losses[-1] < losses[0]
