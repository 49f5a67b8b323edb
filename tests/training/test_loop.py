"""The trainer: it learns, it resumes exactly, it loses nothing."""

import contextlib
import re
from pathlib import Path

import pytest
import torch
from PIL import Image
from skimage import data as photos_of_skimage

from regionwise.checkpoints import load_checkpoint
from regionwise.photo_sources import find_photos
from regionwise.recipe import override, read_recipe
from regionwise.training.loop import train
from regionwise.training.settings import Settings
from regionwise.training.state import read_state

RECIPES = Path(__file__).parents[2] / "recipes"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("photos")
    for name in ("astronaut", "chelsea", "coffee", "rocket"):
        Image.fromarray(getattr(photos_of_skimage, name)()).resize((160, 120)).save(
            folder / f"{name}.png"
        )
    return folder


def tiny(reconstruct, texture, *changes):
    lengths = [f"phases.reconstruct.length={reconstruct}", f"phases.texture.length={texture}"]
    small = ["data.size=32", "batch=2", "model.options.width=4", "validation.photos=1"]
    return override(read_recipe(RECIPES / "tiny.yaml"), [*lengths, *small, *changes])


class KilledError(Exception):
    pass


def run(recipe, folder, run, kill_at=None, checkpoint_steps=2, **options):
    """Train; gives the numbers of each step. Photos for validation are the training's."""
    seen = {}

    def report(progress):
        seen[progress.done] = progress.numbers
        if progress.done == kill_at:
            raise KilledError

    settings = Settings(
        run=run, workers=0, accelerator="cpu", checkpoint_steps=checkpoint_steps, **options
    )
    photos = find_photos([folder])
    with contextlib.suppress(KilledError):
        train(recipe, photos, photos[:1], settings, report=report)
    return seen


@pytest.mark.parametrize("kill_at", [3, 6, 7])
def test_killed_and_resumed_equals_never_killed(folder, tmp_path, kill_at):
    """Killed in the first phase, right after its end, and in the second; equal bit for bit."""
    recipe = tiny(5, 4)
    whole = run(recipe, folder, tmp_path / "whole")
    run(recipe, folder, tmp_path / "killed", kill_at=kill_at)
    rest = run(recipe, folder, tmp_path / "killed")
    assert sorted(whole) == list(range(1, 10))
    assert max(rest) == 9
    assert min(rest) <= kill_at
    assert all(whole[step] == rest[step] for step in rest)
    one, other = (read_state(tmp_path / name / "last.pt") for name in ("whole", "killed"))
    for part in ("generator", "discriminator", "average"):
        assert all(torch.equal(one[part][key], other[part][key]) for key in one[part])
    assert one["best"] == other["best"]


def test_learns_to_fill(folder, tmp_path):
    losses = run(tiny(60, 1, "batch=4"), folder, tmp_path, checkpoint_steps=60)
    values = [losses[step]["l1_hole"] for step in range(1, 61)]
    assert sum(values[-15:]) < 0.97 * sum(values[:15])


def test_the_checkpoint_is_a_model(folder, tmp_path):
    run(tiny(2, 1), folder, tmp_path)
    for name in ("last.pt", "best.pt"):
        network = load_checkpoint(tmp_path / name)
        assert not network.training
    average = read_state(tmp_path / "last.pt")["average"]
    assert torch.equal(
        load_checkpoint(tmp_path / "last.pt").state_dict()["last.weight"], average["last.weight"]
    )
    assert list((tmp_path / "previews").glob("*.png"))
    assert re.search("events", " ".join(file.name for file in tmp_path.iterdir()))
