"""Our PIC with the authors' weights computes what their networks compute."""

import numpy as np
import pytest
import torch
from PIL import Image
from tests.support.official_fixtures import (
    official_answers,
    official_inputs,
    official_weights,
    relative_error,
)
from tests.support.pictures import open_picture

from regionwise.checkpoints import from_official
from regionwise.checkpoints.export import export_onnx
from regionwise.cli import main
from regionwise.engines.zoo import load_model
from regionwise.errors import CheckpointError
from regionwise.models.registry import create_model


@pytest.fixture(scope="module")
def weights():
    return official_weights("pic")


@pytest.fixture(scope="module")
def network(weights):
    return from_official(weights)


def parts(weights):
    return {
        part: {k.removeprefix(f"{part}."): v for k, v in weights.items() if k.startswith(part)}
        for part in ("E", "G")
    }


def test_distribution_and_every_scale(network):
    answers = official_answers("pic")
    image, mask = official_inputs(answers)
    with torch.no_grad():
        features, mean, deviation = network.distribution((image * 2 - 1) * (1 - mask))
        sample = mean + deviation * torch.from_numpy(answers["eps"])
        pictures = network.decode(sample, features, 1 - mask)
    assert relative_error(mean, answers["mu"]) < 1e-4
    assert relative_error(deviation, answers["sigma"]) < 1e-4
    for number, picture in enumerate(pictures):
        assert relative_error(picture, answers[f"scale{number}"]) < 1e-4


def test_parameters_are_those_used(network):
    """Theirs without the path of the true picture."""
    posterior = 128 * 128 * 9 + 128 + 256 * 128 * 9 + 256 + 128 * 256 + 256
    assert sum(p.numel() for p in network.parameters()) == 3_604_224 + 2_374_016 - posterior


def test_one_of_two_files(weights, tmp_path, capsys):
    with pytest.raises(CheckpointError, match=r"latest_net_E\.pth and latest_net_G\.pth"):
        from_official(parts(weights)["G"])
    torch.save(parts(weights)["G"], tmp_path / "latest_net_G.pth")
    Image.new("RGB", (40, 40)).save(tmp_path / "a.png")
    fill = ["fill", str(tmp_path / "a.png"), "--box", "4,4,20,20", "--model", str(tmp_path)]
    assert main(fill) == 2
    assert "put latest_net_E.pth beside it" in capsys.readouterr().err


def test_several_answers(weights, tmp_path, capsys):
    for part, tensors in parts(weights).items():
        torch.save(
            {f"module.{k}": v for k, v in tensors.items()}, tmp_path / f"latest_net_{part}.pth"
        )
    photo = tmp_path / "a.png"
    Image.effect_noise((64, 64), 60).convert("RGB").save(photo)
    fill = ["fill", str(photo), "--box", "8,8,40,40", "--count", "3"]
    assert main([*fill, "--model", str(tmp_path)]) == 0
    assert main([*fill, "--model", str(tmp_path), "--overwrite", "--json"]) == 0
    answers = [open_picture(tmp_path / f"a_filled_{number}.png").tobytes() for number in (1, 2, 3)]
    assert len(set(answers)) == 3
    capsys.readouterr()
    assert main([*fill, "--model", "membrane"]) == 2
    assert "all 3 answers would be the same" in capsys.readouterr().err


@pytest.mark.slow
def test_as_onnx_it_draws_by_its_seed(tmp_path):
    file = tmp_path / "pic.onnx"
    export_onnx(create_model("pic", width=8), file)
    images, masks = np.full((1, 3, 64, 64), 0.4, np.float32), np.zeros((1, 1, 64, 64), np.float32)
    masks[..., 16:48, 16:48] = 1
    answers = []
    for seed in (0, 0, 1):
        engine = load_model(file, seed=seed)
        assert engine.traits.draws
        answers.append(engine.fill(images, masks))
    assert np.array_equal(answers[0], answers[1])
    assert not np.allclose(answers[0], answers[2])
