"""Our PConv U-Net with the known weights computes what their network computes."""

import pytest
import torch
from tests.support.official_fixtures import (
    official_answers,
    official_inputs,
    official_weights,
    relative_error,
)

from regionwise.checkpoints import from_official
from regionwise.errors import CheckpointError


@pytest.fixture(scope="module")
def weights():
    return official_weights("pconv")


def test_picture_and_mask(weights):
    answers = official_answers("pconv")
    image, mask = official_inputs(answers)
    network = from_official({"n_iter": 1, "model": weights, "optimizer": {"state": {}}})
    with torch.no_grad():
        picture, left = network.picture((image - network.mean) / network.deviation, mask)
        ours = network(image, mask).answer
    assert relative_error(picture, answers["output"]) < 1e-4
    assert torch.equal(1 - left, torch.from_numpy(answers["mask_out"]).float())
    theirs = torch.from_numpy(answers["output"]) * network.deviation + network.mean
    assert ((theirs > 0) & (theirs < 1)).float().mean() > 0.1
    assert relative_error(ours, theirs.clamp(0, 1).numpy()) < 1e-4


def test_trained_parameters(weights):
    network = from_official(weights)
    assert sum(p.numel() for p in network.parameters()) == 25_779_796


def test_an_incomplete_file(weights):
    less = {key: value for key, value in weights.items() if key != "dec_3.conv.input_conv.weight"}
    with pytest.raises(CheckpointError, match=r"pconv.*incomplete.*dec_3"):
        from_official(less)
