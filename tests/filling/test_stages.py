"""`stage` and `raw`: what a network answered on its way, and what it says of known pixels."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from skimage import data
from tests.support.pictures import open_picture

import regionwise
from regionwise.checkpoints.store import save_checkpoint
from regionwise.cli import main
from regionwise.engines.engine import NO_TRAITS
from regionwise.engines.staged import at_stage
from regionwise.engines.torch_engine import TorchEngine
from regionwise.engines.zoo import load_model
from regionwise.errors import ModelError
from regionwise.models.checkpoint import Checkpoint
from regionwise.models.network import InpaintingNetwork
from regionwise.models.prediction import Prediction
from regionwise.models.registry import create_model
from regionwise.weights.bundled import weights_file

OPTIONS = {"width": 8, "levels": 3, "refinements": 1}
PHOTO = np.ascontiguousarray(data.astronaut()[60:124, 180:244])
HOLE = np.zeros((64, 64), bool)
HOLE[20:40, 10:50] = True


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(3)
    network = create_model("madf", **OPTIONS)
    file = tmp_path_factory.mktemp("weights") / "tiny.safetensors"
    save_checkpoint(Checkpoint("madf", OPTIONS, dict(network.state_dict())), file)
    return file


def stages(weights: Path) -> list[np.ndarray]:
    """The network's answers, 8 bits, straight from it."""
    network = regionwise.checkpoints.load_checkpoint(weights)
    image = torch.from_numpy(PHOTO / np.float32(255) * ~HOLE[..., None]).permute(2, 0, 1)[None]
    with torch.no_grad():
        prediction = network(image, torch.from_numpy(HOLE[None, None]).float())
    return [
        (s[0].permute(1, 2, 0).numpy() * 255).round().astype(np.uint8) for s in prediction.stages
    ]


@pytest.mark.parametrize("stage", [0, 1, -1, -2])
def test_a_stage_fills_the_hole_alone(weights: Path, stage: int) -> None:
    filled = regionwise.fill(PHOTO, HOLE, str(weights), stage=stage, feather=0)
    expected = np.where(HOLE[..., None], stages(weights)[stage], PHOTO)
    assert np.abs(filled.astype(int) - expected).max() <= 1
    np.testing.assert_array_equal(filled[~HOLE], PHOTO[~HOLE])


@pytest.mark.parametrize("stage", [0, -1])
def test_raw_is_the_networks_answer_everywhere(weights: Path, stage: int) -> None:
    answer = regionwise.fill(PHOTO, HOLE, str(weights), stage=stage, raw=True)
    assert np.abs(answer.astype(int) - stages(weights)[stage]).max() <= 1
    assert (answer[~HOLE] != PHOTO[~HOLE]).mean() > 0.5


def test_an_onnx_files_stages_come_from_the_network_it_was_made_from() -> None:
    file = weights_file("small")
    first = regionwise.fill(PHOTO, HOLE, "small", stage=0, feather=0)
    last = regionwise.fill(PHOTO, HOLE, "small", stage=1, feather=0)
    for stage, filled in enumerate((first, last)):
        expected = np.where(HOLE[..., None], stages(file)[stage], PHOTO)
        assert np.abs(filled.astype(int) - expected).max() <= 1
    assert (first[HOLE] != last[HOLE]).mean() > 0.5


def test_the_raw_answer_of_an_onnx_file_is_its_networks_too() -> None:
    """The graph itself puts the known pixels back."""
    answer = regionwise.fill(PHOTO, HOLE, "small", raw=True)
    assert np.abs(answer.astype(int) - stages(weights_file("small"))[-1]).max() <= 1
    assert (answer[~HOLE] != PHOTO[~HOLE]).mean() > 0.3


def test_a_network_is_opened_once_for_a_folder() -> None:
    engine = load_model("small")
    one, other = at_stage(engine, 0), at_stage(engine, 1)
    assert isinstance(one, TorchEngine)
    assert isinstance(other, TorchEngine)
    assert one._network is other._network


class Constant(InpaintingNetwork):
    """One value a stage."""

    def forward(self, image: torch.Tensor, mask: torch.Tensor) -> Prediction:
        return Prediction([torch.full_like(image, value) for value in (0.2, 0.4, 0.8)])


def test_a_stage_that_is_not_there_is_told() -> None:
    engine = TorchEngine(Constant(), "cpu")
    assert regionwise.fill(PHOTO, HOLE, engine, stage=1, feather=0)[HOLE].mean() == 102
    with pytest.raises(ModelError, match=r"no `stage` 3: this network has 3, 0 to 2"):
        regionwise.fill(PHOTO, HOLE, engine, stage=3)
    with pytest.raises(ModelError, match=r"is no network and has no stages; leave `stage` out"):
        regionwise.fill(PHOTO, HOLE, "membrane", stage=0)


def test_raw_keeps_depth_and_size_and_refuses_what_is_no_picture() -> None:
    deep = PHOTO.astype(np.uint16) * 257
    answer = regionwise.fill(deep, HOLE, TorchEngine(Constant(), "cpu"), raw=True)
    assert answer.dtype == np.uint16
    assert (answer == round(0.8 * 65535)).all()

    class Broken:
        traits = NO_TRAITS

        def fill(self, images: np.ndarray, masks: np.ndarray) -> np.ndarray:
            return images[:, :, 1:]

    with pytest.raises(ModelError, match="no picture of the photo's size"):
        regionwise.fill(PHOTO, HOLE, Broken(), raw=True)


def test_a_raw_jpeg_is_written_whole(weights: Path, tmp_path: Path) -> None:
    """None of its blocks may be copied from the photo."""
    Image.fromarray(PHOTO).save(tmp_path / "photo.jpg", quality=95)
    Image.fromarray(HOLE).save(tmp_path / "mask.png")
    command = ["fill", str(tmp_path / "photo.jpg"), str(tmp_path / "mask.png")]
    command += ["--model", str(weights), "--raw", "--stage", "0", "-o", str(tmp_path / "raw.jpg")]
    assert main(command) == 0
    shown = np.asarray(open_picture(tmp_path / "raw.jpg")).astype(int)
    assert np.abs(shown - stages(weights)[0]).mean() < 6
