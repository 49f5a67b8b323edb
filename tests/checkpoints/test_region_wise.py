"""Our Region-wise generator with the authors' weights computes what their network computes."""

import numpy as np
import pytest
import torch
from tests.support.official_fixtures import official_answers, official_inputs, official_weights

from regionwise.checkpoints import from_official, load_checkpoint
from regionwise.errors import CheckpointError


@pytest.fixture(scope="module")
def weights():
    return official_weights("region_wise")


@pytest.fixture(scope="module")
def answers():
    return official_answers("region_wise")


def relative_errors(network, answers):
    image, mask = official_inputs(answers)
    with torch.no_grad():
        stages = network(image, mask).stages
    theirs = [torch.from_numpy(answers[f"stage{k}"]) for k in range(2)]
    return [
        ((ours * 2 - 1 - wanted).abs().max() / wanted.std()).item()
        for ours, wanted in zip(stages, theirs, strict=False)
    ]


def test_both_stages(weights, answers):
    errors = relative_errors(from_official(weights), answers)
    assert len(errors) == 2
    assert max(errors) < 1e-4


def test_each_picture_alone(weights, answers):
    """Bounding boxes of holes are of the whole batch: alone, other ones are used."""
    network = from_official(weights)
    for k in range(2):
        alone = {key: value[k : k + 1] for key, value in answers.items()}
        assert max(relative_errors(network, alone)) < 1e-4


def test_released_weights_do_not_fit_the_other_reading_of_equation_1(weights):
    with pytest.raises(CheckpointError, match=r"do not fit the network 'region-wise'.*bias"):
        from_official(weights, reading="window")


def test_an_npz_of_variables(weights, answers, tmp_path):
    """As TensorFlow names them, with the discriminator's and the optimiser's among them."""
    arrays = {f"{key}:0": value.numpy() for key, value in weights.items()}
    arrays["discriminator/conv1/kernel:0"] = np.zeros((5, 5, 4, 64), np.float32)
    arrays["inpaint_net/conv1_1/kernel/Adam:0"] = np.zeros((5, 5, 4, 32), np.float32)
    arrays["beta1_power:0"] = np.float32(0.9)
    arrays["note:0"] = np.array(b"text")
    arrays["global_step:0"] = np.int64(7)
    file = tmp_path / "region-wise.npz"
    np.savez(file, **arrays)
    with np.load(file) as content:
        assert max(relative_errors(from_official(content), answers)) < 1e-4
    assert max(relative_errors(load_checkpoint(file), answers)) < 1e-4


def test_the_coarse_network_alone(weights, answers):
    coarse = {key: value for key, value in weights.items() if not key.startswith("inpaint_net_1/")}
    errors = relative_errors(from_official(coarse), answers)
    assert len(errors) == 1
    assert errors[0] < 1e-4


def test_a_missing_variable_is_named(weights):
    less = {
        key: value for key, value in weights.items() if key != "inpaint_net/conv9_atrous_1/bias"
    }
    with pytest.raises(CheckpointError, match=r"incomplete.*inpaint_net/conv9_atrous_1/bias"):
        from_official(less)


@pytest.mark.parametrize("content", [b"", b"not a zip"])
def test_a_broken_npz(tmp_path, content):
    file = tmp_path / "broken.npz"
    file.write_bytes(content)
    with pytest.raises(CheckpointError, match=r"broken\.npz"):
        load_checkpoint(file)
