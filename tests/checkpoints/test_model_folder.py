"""A network as a folder with its card, written and read."""

import json
import shutil

import numpy as np
import pytest
import torch
import yaml

import regionwise
from regionwise.checkpoints import Checkpoint, load_checkpoint, read_checkpoint
from regionwise.checkpoints.model_folder import save_model_folder
from regionwise.cli import main
from regionwise.engines.zoo import load_model
from regionwise.errors import CheckpointError, OutputError
from regionwise.models.registry import create_model
from regionwise.weights.bundled import bundled_cards
from regionwise.weights.card import ModelCard
from regionwise.weights.model_folder import Configuration, card_page

OPTIONS = {"architecture": 1, "width": 16, "blocks": 1, "start": "membrane"}
CARD = ModelCard("tiny", "A tiny one", "No paper", {"code": "Apache-2.0", "weights": "Apache-2.0"})


@pytest.fixture(scope="module")
def checkpoint():
    torch.manual_seed(0)
    return Checkpoint("rn", OPTIONS, dict(create_model("rn", **OPTIONS).state_dict()))


@pytest.fixture(scope="module")
def written(checkpoint, tmp_path_factory):
    folder = tmp_path_factory.mktemp("models") / "tiny"
    save_model_folder(checkpoint, folder, CARD)
    return folder


@pytest.fixture
def folder(written, tmp_path):
    return shutil.copytree(written, tmp_path / "tiny")


def crops():
    rng = np.random.default_rng(0)
    images = rng.random((1, 3, 48, 56), np.float32)
    masks = np.zeros((1, 1, 48, 56), np.float32)
    masks[..., 10:30, 10:40] = 1
    return images, masks


def test_what_lies_in_it(written):
    names = {file.name for file in written.iterdir()}
    assert names == {"README.md", "config.json", "model.safetensors", "model.onnx"}
    assert [file.name for file in written.parent.iterdir()] == ["tiny"]
    assert json.loads((written / "config.json").read_text())["options"] == OPTIONS


def test_both_files_fill_alike_with_and_without_pytorch(folder):
    images, masks = crops()
    by_onnx = load_model(folder).fill(images, masks)
    (folder / "model.onnx").unlink()
    by_torch = load_model(folder).fill(images, masks)
    missing = np.broadcast_to(masks > 0, images.shape)
    assert np.abs(by_onnx - by_torch)[missing].max() < 1e-4


def test_weights_come_back(checkpoint, folder):
    stored = read_checkpoint(folder)
    assert (stored.model, stored.options) == ("rn", OPTIONS)
    network = load_checkpoint(folder)
    for key, value in checkpoint.weights.items():
        if value.is_floating_point() and value.dim() == 4:
            torch.testing.assert_close(network.state_dict()[key], value, rtol=1e-3, atol=1e-4)
    (folder / "model.safetensors").unlink()
    again = read_checkpoint(folder)
    assert all(torch.equal(again.weights[key], one) for key, one in stored.weights.items())


def test_a_photo_is_filled_by_its_path(folder):
    photo = np.random.default_rng(0).integers(0, 256, (40, 50, 3), np.uint8)
    mask = np.zeros((40, 50), bool)
    mask[10:20, 10:20] = True
    filled = regionwise.fill(photo, mask, model=folder)
    assert (filled[mask] != photo[mask]).any()
    assert (filled[~mask] == photo[~mask]).all()


def no_onnx(network, file, **_):
    """In place of the export, which takes seconds."""
    file.write_bytes(b"")


def test_texture_of_the_card_is_given_to_fills(checkpoint, folder, tmp_path, monkeypatch):
    assert load_model(folder).traits.texture == 0
    monkeypatch.setattr("regionwise.checkpoints.model_folder.export_onnx", no_onnx)
    card = ModelCard("tiny", "Tiny", "", {}, texture=1.3)
    save_model_folder(checkpoint, tmp_path / "soft", card)
    shutil.copy(tmp_path / "soft" / "config.json", folder)
    traits = load_model(folder).traits
    assert (traits.texture, traits.detail) == (1.3, "judged")


@pytest.mark.parametrize("card", [CARD, *bundled_cards()], ids=lambda card: card.name)
def test_hubs_can_read_the_card(card):
    page = card_page(card, Configuration("rn"))
    _, front, words = page.split("---\n", 2)
    head = yaml.safe_load(front)
    assert head["library_name"] == "regionwise"
    assert head["pipeline_tag"] == "image-to-image"
    assert ("license_name" in head) == (head["license"] == "other")
    assert words.startswith(f"\n# {card.name}\n")
    if card.measured:
        (index,) = head["model-index"]
        assert len(index["results"]) == len(card.measured)
        for result in index["results"]:
            assert {"type", "name"} <= set(result["dataset"])
            assert all(isinstance(one["value"], int | float) for one in result["metrics"])
        assert card.measured[0]["command"] in words


def test_it_is_written_whole_or_not_at_all(checkpoint, folder, monkeypatch):
    with pytest.raises(OutputError, match="exists"):
        save_model_folder(checkpoint, folder, CARD)

    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("regionwise.checkpoints.model_folder.export_onnx", full)
    before = {file.name: file.read_bytes() for file in folder.iterdir()}
    with pytest.raises(OutputError, match="No space left"):
        save_model_folder(checkpoint, folder, CARD, overwrite=True)
    assert {file.name: file.read_bytes() for file in folder.iterdir()} == before
    assert [file.name for file in folder.parent.iterdir()] == ["tiny"]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("{", "not readable as JSON"),
        ("[]", "of another program"),
        ('{"model_type": "bert"}', "of another program"),
        ('{"regionwise": "2", "model": "rn"}', "newer regionwise"),
        ('{"regionwise": "1", "model": 3}', "must be a name"),
        ('{"regionwise": "1", "model": "rn", "texture": "much"}', "must be a name"),
        ('{"regionwise": "1", "model": "nothing"}', "do not fit"),
    ],
)
def test_foreign_configurations_are_told(folder, content, words):
    (folder / "config.json").write_text(content)
    with pytest.raises(CheckpointError, match=words):
        load_checkpoint(folder)


def test_half_a_folder_is_told(folder):
    (folder / "model.onnx").unlink()
    (folder / "model.safetensors").unlink()
    with pytest.raises(CheckpointError, match="holds neither"):
        load_model(folder)


def test_the_command(folder, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("regionwise.checkpoints.model_folder.export_onnx", no_onnx)
    weights = folder / "model.safetensors"
    assert main(["export", str(weights), "--folder", "-o", str(tmp_path / "again")]) == 0
    assert "README.md, config.json, model.onnx, model.safetensors" in capsys.readouterr().out
    assert "Yu et al." in (tmp_path / "again" / "README.md").read_text()
    assert main(["export", str(weights), "--folder", "-o", str(tmp_path / "again")]) == 2
