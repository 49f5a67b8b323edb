import json
from pathlib import Path

import numpy as np
import pytest
from tests.support.tiny_networks import write_blur

from regionwise.engines import classical_engine, zoo
from regionwise.engines.classical_engine import METHODS, MembraneEngine
from regionwise.engines.onnx_engine import OnnxEngine
from regionwise.errors import CheckpointError, ModelError, RegionwiseWarning
from regionwise.weights import bundled
from regionwise.weights.card import ModelCard

CARD = {
    "name": "tiny",
    "title": "a blur",
    "paper": "none",
    "licences": {"code": "Apache-2.0", "weights": "CC0-1.0", "data": "none"},
    "size": 400,
    "measured": [{"psnr": 20.5, "command": "regionwise evaluate tiny"}],
}


@pytest.fixture
def weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of bundled weights with one model in it."""
    folder = tmp_path / "weights"
    folder.mkdir()
    write_blur(folder / "tiny.onnx")
    (folder / "tiny.json").write_text(json.dumps(CARD))
    monkeypatch.setattr(bundled, "FOLDER", folder)
    return folder


def test_bundled_models_come_with_their_cards_before_the_classical(weights: Path) -> None:
    cards = zoo.list_models()
    assert cards[0] == ModelCard(**CARD)
    names = [card.name for card in cards]
    assert names == ["tiny", *METHODS]
    assert zoo.load_model("tiny").traits.file == weights / "tiny.onnx"


def test_what_is_not_installed_says_how(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(classical_engine, "find_spec", lambda library: None)
    cards = {card.name: card for card in zoo.list_models()}
    assert cards["membrane"].installed
    assert not cards["telea"].installed
    assert cards["telea"].install == "pip install opencv-python-headless"


@pytest.mark.parametrize("content", ["{", "[]", '{"name": "x"}', '{"nome": "x"}'])
def test_a_broken_card_is_one_line(weights: Path, content: str) -> None:
    (weights / "tiny.json").write_text(content)
    with pytest.raises(CheckpointError, match=r"tiny\.json is not a model card"):
        zoo.list_models()


def test_default_is_the_bundled_model(weights: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bundled, "DEFAULT", "tiny")
    engine = zoo.load_model()
    assert isinstance(engine, OnnxEngine)
    assert engine.traits.file == weights / "tiny.onnx"


def test_default_without_bundled_weights_warns(weights: Path) -> None:
    with pytest.warns(RegionwiseWarning, match="no network is bundled"):
        assert isinstance(zoo.load_model(), MembraneEngine)


def test_a_file_of_onnx_is_a_model(tmp_path: Path) -> None:
    engine = zoo.load_model(write_blur(tmp_path / "mine.ONNX"))
    assert engine.fill(np.zeros((1, 3, 4, 4), np.float32), np.ones((1, 1, 4, 4), np.float32)).shape


@pytest.mark.parametrize("name", ["nonsense", "../weights/tiny", "", "missing.onnx"])
def test_an_unknown_model_is_one_line(weights: Path, name: str) -> None:
    with pytest.raises(ModelError, match="there is no model"):
        zoo.load_model(name)


def test_an_unknown_device_is_one_line() -> None:
    with pytest.raises(ModelError, match="auto, cpu, cuda"):
        zoo.load_model("membrane", "gpu")  # type: ignore[arg-type]


def test_a_checkpoint_without_torch_names_the_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "net.safetensors"
    file.write_bytes(b"x")
    monkeypatch.setattr(zoo, "find_spec", lambda library: None)
    with pytest.raises(ModelError, match=r"regionwise\[train\]"):
        zoo.load_model(file)


def test_all_cards_in_the_package_are_whole() -> None:
    for card in zoo.list_models():
        assert card.title
        assert card.paper
        assert card.licences["code"]
        file = bundled.FOLDER / f"{card.name}.onnx"
        if card.size:
            assert file.stat().st_size == card.size
            assert {"code", "weights", "data"} <= set(card.licences)
            assert all("command" in row for row in card.measured)
