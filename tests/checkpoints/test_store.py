"""Weights go through files unchanged, and foreign files get one clear line."""

import numpy as np
import pytest
import torch
from tests.support.official_fixtures import official_weights
from tests.support.tiny_networks import write_blur

from regionwise.checkpoints import Checkpoint, load_checkpoint, read_checkpoint, save_checkpoint
from regionwise.checkpoints.export import largest_difference
from regionwise.cli import main
from regionwise.errors import CheckpointError
from regionwise.models.registry import create_model
from regionwise.weights.bundled import weights_file


@pytest.fixture
def tiny():
    options = {"width": 8, "blocks": 1}
    return Checkpoint("rn", options, dict(create_model("rn", **options).state_dict()))


def answer(network):
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        return network(torch.rand(1, 3, 20, 23, generator=generator), torch.ones(1, 1, 20, 23))


def test_safetensors(tiny, tmp_path):
    save_checkpoint(tiny, tmp_path / "tiny.safetensors")
    again = read_checkpoint(tmp_path / "tiny.safetensors")
    assert (again.model, again.options) == (tiny.model, tiny.options)
    assert again.weights.keys() == tiny.weights.keys()
    assert all(torch.equal(again.weights[key], tiny.weights[key]) for key in tiny.weights)
    network = load_checkpoint(tmp_path / "tiny.safetensors")
    assert not network.training
    assert torch.equal(answer(network).answer, answer(tiny.network()).answer)


@pytest.mark.parametrize("name", ["rn", "deepgin"])
@pytest.mark.parametrize("suffix", [".pth", ".npz"])
def test_import_of_authors_files(name, suffix, tmp_path, capsys):
    weights = official_weights(name)
    source, target = tmp_path / f"theirs{suffix}", tmp_path / "ours.safetensors"
    if suffix == ".npz":
        np.savez(source, **{key: value.numpy() for key, value in weights.items()})
    else:
        torch.save({"generator": weights}, source)
    assert main(["import", str(source), "-o", str(target)]) == 0
    assert name.partition("_")[0] in capsys.readouterr().out
    direct, stored = read_checkpoint(source), read_checkpoint(target)
    assert stored.options == direct.options
    assert all(torch.equal(stored.weights[key], direct.weights[key]) for key in direct.weights)
    assert main(["import", str(source), "-o", str(target)]) == 2
    assert "--overwrite" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("missing.pt", None),
        ("text.pt", b"no weights"),
        ("text.safetensors", b"no weights"),
        ("text.npz", b"no weights"),
        ("cut.npz", b"PK\x03\x04"),
    ],
)
def test_unreadable_files(file, content, tmp_path):
    if content is not None:
        (tmp_path / file).write_bytes(content)
    with pytest.raises(CheckpointError, match=file) as caught:
        load_checkpoint(tmp_path / file)
    assert "\n" not in str(caught.value)


def test_foreign_weights(tmp_path):
    torch.save({"layer.weight": torch.zeros(1)}, tmp_path / "foreign.pt")
    with pytest.raises(CheckpointError, match=r"foreign\.pt: no network known"):
        load_checkpoint(tmp_path / "foreign.pt")


def test_weights_that_do_not_fit(tiny, tmp_path):
    other = Checkpoint("rn", {"width": 16, "blocks": 1}, tiny.weights)
    save_checkpoint(other, tmp_path / "other.safetensors")
    with pytest.raises(
        CheckpointError, match=r"other\.safetensors: the weights do not fit"
    ) as caught:
        load_checkpoint(tmp_path / "other.safetensors")
    assert str(caught.value).count("other.safetensors") == 1


def test_the_bundled_network_is_read_from_its_onnx():
    network = load_checkpoint(weights_file("rn"))
    assert largest_difference(network, weights_file("rn"), [(40, 57)]) < 1e-4


def test_import_writes_a_bundled_network(tmp_path, capsys):
    assert main(["import", "rn", "-o", str(tmp_path / "rn.safetensors")]) == 0
    assert "rn, 2.93M parameters" in capsys.readouterr().out
    assert load_checkpoint(tmp_path / "rn.safetensors").start == "membrane"


def test_foreign_onnx_says_what_to_give_instead(tmp_path):
    with pytest.raises(CheckpointError, match=r"does not say .* give the \.safetensors"):
        read_checkpoint(write_blur(tmp_path / "blur.onnx"))
    (tmp_path / "text.onnx").write_bytes(b"no model")
    with pytest.raises(CheckpointError, match="broken"):
        read_checkpoint(tmp_path / "text.onnx")
