"""The trainer: it learns, it resumes exactly, it loses nothing."""

import contextlib
from pathlib import Path

import pytest
import torch
from PIL import Image
from skimage import data as photos_of_skimage

from regionwise.checkpoints import load_checkpoint
from regionwise.data import HolePhotos, find_photos, stream_batches
from regionwise.errors import CheckpointError, DataError, OutputError
from regionwise.recipe import check_recipe, read_recipe
from regionwise.training.loop import Settings, train
from regionwise.training.state import ExponentialAverage, read_state, write_atomically

RECIPES = Path(__file__).parents[2] / "recipes"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("photos")
    for name in ("astronaut", "chelsea", "coffee", "rocket"):
        Image.fromarray(getattr(photos_of_skimage, name)()).resize((160, 120)).save(
            folder / f"{name}.png"
        )
    return folder


def short(reconstruct, texture):
    content = read_recipe(RECIPES / "tiny.yaml").model_dump(mode="json")
    for phase, steps in zip(content["phases"], (reconstruct, texture), strict=True):
        phase["steps"] = steps
    return check_recipe(content, "test")


class KilledError(Exception):
    pass


def run(recipe, folder, run, resume=False, kill_at=None, checkpoint_every=2):
    seen = {}

    def report(step, losses):
        seen[step] = losses
        if step == kill_at:
            raise KilledError

    settings = Settings(run=run, workers=0, checkpoint_every=checkpoint_every, preview_every=4)
    with contextlib.suppress(KilledError):
        train(recipe, find_photos([folder]), settings, resume=resume, report=report)
    return seen


@pytest.mark.parametrize("kill_at", [2, 5, 6])
def test_killed_and_resumed_equals_never_killed(folder, tmp_path, kill_at):
    """Killed in the first phase, at its end, and in the second; weights equal bit for bit."""
    recipe = short(5, 4)
    whole = run(recipe, folder, tmp_path / "whole")
    run(recipe, folder, tmp_path / "killed", kill_at=kill_at)
    rest = run(recipe, folder, tmp_path / "killed", resume=True)
    assert sorted(whole) == list(range(9))
    assert max(rest) == 8
    assert all(whole[step] == rest[step] for step in rest)
    one, other = (read_state(tmp_path / name / "last.pt") for name in ("whole", "killed"))
    for part in ("generator", "discriminator", "average"):
        assert all(torch.equal(one[part][key], other[part][key]) for key in one[part])


def test_learns_to_fill(folder, tmp_path):
    losses = run(short(60, 1), folder, tmp_path, checkpoint_every=60)
    values = [losses[step]["hole_l1"] for step in range(60)]
    assert sum(values[-15:]) < 0.97 * sum(values[:15])


def test_the_checkpoint_is_a_model(folder, tmp_path):
    run(short(2, 1), folder, tmp_path)
    network = load_checkpoint(tmp_path / "last.pt")
    assert not network.training
    average = read_state(tmp_path / "last.pt")["average"]
    assert torch.equal(network.state_dict()["last.weight"], average["last.weight"])


def test_the_stream_does_not_depend_on_workers(folder):
    photos = HolePhotos(find_photos([folder]), 32, {"irregular": 1}, (0.1, 0.4), seed=3)
    alone = list(stream_batches(photos, 2, 1, 4, workers=0))
    shared = list(stream_batches(photos, 2, 1, 4, workers=2))
    for (image, mask), (other_image, other_mask) in zip(alone, shared, strict=True):
        assert torch.equal(image, other_image)
        assert torch.equal(mask, other_mask)


def test_broken_photos_are_passed_over(folder, tmp_path):
    (tmp_path / "a.jpg").write_bytes(b"no picture")
    Image.new("RGB", (50, 40), "red").save(tmp_path / "b.png")
    photos = HolePhotos(find_photos([tmp_path]), 32, {"rectangle": 1}, None, seed=0)
    with pytest.warns(UserWarning, match=r"a\.jpg"):
        images = [photos[k][0] for k in range(4)]
    assert all(image[0].min() > 0.9 for image in images)


def test_no_photos(tmp_path):
    with pytest.raises(DataError, match="no photos in"):
        find_photos([tmp_path])
    with pytest.raises(DataError, match="nowhere"):
        find_photos([tmp_path / "nowhere"])


def test_a_full_disk_keeps_the_older_checkpoint(tmp_path, monkeypatch):
    file = tmp_path / "last.pt"
    write_atomically({"generator": {}, "step": 1}, file)

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("torch.save", full)
    with pytest.raises(OutputError, match="No space left"):
        write_atomically({"generator": {}, "step": 2}, file)
    assert read_state(file)["step"] == 1
    assert [f.name for f in tmp_path.iterdir()] == ["last.pt"]


def test_resuming_nothing(tmp_path):
    with pytest.raises(CheckpointError, match="there is no checkpoint"):
        read_state(tmp_path / "last.pt")


def test_the_average_follows():
    network = torch.nn.Linear(1, 1, bias=False)
    average = ExponentialAverage(network, 0.5)
    with torch.no_grad():
        network.weight.fill_(average.weights["weight"].item() + 1)
    before = average.weights["weight"].item()
    average.update(network)
    assert average.weights["weight"].item() == pytest.approx(before + 1 - 2 / 11)
