"""Phases that train some parts, with discriminators of their own, along the data's guide."""

import contextlib

import pytest
import torch
from tests.training.conftest import RECIPES

from regionwise.data.batches import HolePhotos, stream_batches
from regionwise.data.photo_sources import find_photos
from regionwise.errors import RecipeError
from regionwise.layers.canny import canny_edges
from regionwise.recipe import override, read_recipe
from regionwise.training.loop import train
from regionwise.training.networks import Networks
from regionwise.training.phase_trainer import PhaseTrainer
from regionwise.training.settings import TrainingSettings, make_fabric
from regionwise.training.state import read_state
from regionwise.training.timetable import timetable

SMALL = [
    "model.options.width=4",
    "model.options.blocks=1",
    "data.size=32",
    "batch=2",
    "feature_weights=random",
    "discriminator.options={width: 4}",
    "phases.edges.discriminator.options={width: 4, channels: 1, beside: gray}",
    "phases.picture.losses=[{name: l1}, {name: adversarial}]",  # no feature network
    "phases.together.losses=[{name: l1}, {name: adversarial}]",
]


def edge_recipe(*changes):
    return override(read_recipe(RECIPES / "edgeconnect.yaml"), [*SMALL, *changes])


def stepped(recipe, folder, run, phase):
    """What a step of a phase changes in the generator, by the names of its parts; the trainer."""
    settings = TrainingSettings(run=run, accelerator="cpu")
    fabric = make_fabric(settings, "fp32", unused_parameters=False)
    networks = Networks(recipe, fabric, checkpoint_gradients=False)
    stretch = timetable(recipe, photos=4)[phase]
    photos = HolePhotos(find_photos([folder]), stretch.phase.data, stretch.phase.holes, seed=0)
    (batch,) = stream_batches(photos, recipe.phases[0].batch, range(1))
    before = {k: v.clone() for k, v in networks.generator.state_dict().items()}
    trainer = PhaseTrainer(networks, recipe, stretch, settings, fabric, {})
    trainer.step(batch, stretch.start)
    after = networks.generator.state_dict()
    return {k.split(".")[0] for k in before if not torch.equal(before[k], after[k])}, trainer


@pytest.mark.parametrize(
    ("phase", "moved"),
    [(0, {"edge_network"}), (1, {"picture_network"}), (2, {"edge_network", "picture_network"})],
)
def test_only_the_named_parts_move(phase, moved, folder, tmp_path):
    changed, trainer = stepped(edge_recipe(), folder, tmp_path, phase)
    assert changed == moved
    own = trainer.networks.discriminators["edges" if phase == 0 else ""]
    assert trainer.discriminator is own


def test_the_discriminator_alone(folder, tmp_path):
    """Nothing of the network moves, not even the statistics of its batch norms."""
    changes = ["model.options={width: 4}", "data={size: 32, framing: squash}", "batch=2"]
    small = "discriminator.options={size: 32, window: 16, width: 4}"
    recipe = override(read_recipe(RECIPES / "glcic.yaml"), [*changes, small])
    changed, trainer = stepped(recipe, folder, tmp_path, 1)
    assert changed == set()
    assert list(trainer.players) == ["discriminator"]
    moved, _ = stepped(recipe, folder, tmp_path, 0)
    assert moved == {"layers", "last"}


def test_a_part_that_is_not_there(folder, tmp_path):
    with pytest.raises(RecipeError, match=r"parts: .*has no attribute `painter`"):
        stepped(edge_recipe("phases.edges.parts=[painter]"), folder, tmp_path, 0)


def test_the_teachers_edges_are_painted_along(folder, tmp_path):
    """Phase 2 paints along the true edges, phase 3 along the first network's."""
    recipe = edge_recipe()
    data = HolePhotos(find_photos([folder]), recipe.phases[0].data, recipe.phases[0].holes, 0)
    (batch,) = stream_batches(data, 2, range(1))
    _, trainer = stepped(recipe, folder, tmp_path, 1)
    network = trainer.networks.generator.eval()
    painted = network.paint(batch.image, batch.mask, batch.guide)
    answer = network(batch.image, batch.mask, batch.guide, along_guide=True)
    torch.testing.assert_close(answer.answer, painted)
    mixed = torch.where(batch.mask > 0.5, answer.guide, batch.guide)
    own = network(batch.image, batch.mask, batch.guide).answer
    torch.testing.assert_close(own, network.paint(batch.image, batch.mask, mixed))
    assert not torch.equal(own, answer.answer)


def test_edges_of_the_data_are_the_whole_pictures(folder):
    recipe = edge_recipe("data.size=64")
    phase = recipe.phases[0]
    (batch,) = stream_batches(
        HolePhotos(find_photos([folder]), phase.data, phase.holes, seed=0), 3, range(1)
    )
    assert torch.equal(batch.guide, canny_edges(batch.image, torch.zeros_like(batch.mask)))
    assert 0 < batch.guide.mean() < 0.5
    several = {"holes.mixture": "{rectangle: 1, irregular: 1}", "holes.draw": "each"}
    phase = override(recipe, [f"{k}={v}" for k, v in several.items()]).phases[0]
    item = HolePhotos(find_photos([folder]), phase.data, phase.holes, seed=0)[0]
    assert item.guide.shape == item.mask.shape == (2, 1, 64, 64)


def test_stopped_and_resumed_equals_never_stopped(folder, tmp_path):
    """In the phase with a discriminator of its own, and in the next one."""
    lengths = [f"phases.{name}.length=2" for name in ("edges", "picture", "together")]
    recipe = edge_recipe(*lengths, "validation.photos=1")
    photos = find_photos([folder])

    def run(name, *stops):
        class StoppedError(Exception):
            pass

        def report(progress):
            if progress.done in stops:
                raise StoppedError

        settings = TrainingSettings(
            run=tmp_path / name, workers=0, accelerator="cpu", checkpoint_steps=1
        )
        with contextlib.suppress(StoppedError):
            train(recipe, photos, photos[:1], settings, report=report)
        return read_state(tmp_path / name / "last.pt")

    whole = run("whole")
    assert run("part", 2)["step"] == 1
    assert run("part", 4)["step"] == 3
    part = run("part")
    assert part["step"] == whole["step"] == 6
    assert part["phase_discriminators"].keys() == {"edges"}
    for name in ("generator", "discriminator"):
        assert all(torch.equal(whole[name][k], part[name][k]) for k in whole[name])
    one, other = (state["phase_discriminators"]["edges"] for state in (whole, part))
    assert all(torch.equal(one[k], other[k]) for k in one)


def test_clipped_pictures_get_no_gradient_from_outside(folder, tmp_path):
    """The released region-wise code cuts pictures before all losses and the discriminator."""
    settings = TrainingSettings(run=tmp_path, accelerator="cpu")
    fabric = make_fabric(settings, "fp32", unused_parameters=False)
    losses = {}
    for clip in (False, True):
        changes = ["model.options={width: 4}", "data.size=68", "batch=2"]
        terms = "losses=[{name: l1, picture: raw}]"
        recipe = override(
            read_recipe(RECIPES / "region-wise.yaml"), [*changes, terms, f"clip_pictures={clip}"]
        )
        torch.manual_seed(0)
        networks = Networks(recipe, fabric, checkpoint_gradients=False)
        with torch.no_grad():  # all answers lie far above 1
            for name, parameter in networks.generator.named_parameters():
                parameter.fill_(5.0 if name.endswith("bias") else 0.0)
        stretch = timetable(recipe, photos=4)[0]
        photos = HolePhotos(find_photos([folder]), stretch.phase.data, stretch.phase.holes, seed=0)
        (batch,) = stream_batches(photos, 2, range(1))
        trainer = PhaseTrainer(networks, recipe, stretch, settings, fabric, {})
        losses[clip] = trainer.joint_sum(trainer.step(batch, 0))
    assert losses[False]["gradient"] > 0
    assert losses[True]["gradient"] == 0
    assert losses[True]["l1"] < 1 < losses[False]["l1"]


STRUCTURE = [
    "model.options={width: 8}",
    "data={size: 32, framing: squash, guide: structure}",
    "batch=2",
    "feature_weights=random",
    "discriminator.options={width: 4}",
    "phases.structure.discriminator.options={width: 4}",
    "phases.together.losses=[{name: l1}, {name: adversarial}]",
]


@pytest.mark.parametrize(
    ("phase", "moved"),
    [
        (0, {"structure_network"}),
        (1, {"flow_network", "texture_network"}),
        (2, {"flow_network", "texture_network"}),
    ],
)
def test_structureflow_learns_structure_then_texture(phase, moved, folder, tmp_path):
    recipe = override(read_recipe(RECIPES / "structureflow.yaml"), STRUCTURE)
    changed, trainer = stepped(recipe, folder, tmp_path, phase)
    assert changed == moved
    own = trainer.networks.discriminators["structure" if phase == 0 else ""]
    assert trainer.discriminator is own
