"""Networks whose released file holds one state dict give the answer of their authors' network."""

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


@pytest.fixture(scope="module", params=["lama", "lbam", "pconv"])
def name(request):
    return request.param


@pytest.fixture(scope="module")
def weights(name):
    return official_weights(name)


def test_parameters_and_answer(name, weights):
    parameters = {"lama": 50_975_875, "lbam": 68_304_948, "pconv": 25_779_796}
    bounds = {"lama": 1e-5, "lbam": 1e-4, "pconv": 1e-4}
    answers = official_answers(name)
    image, mask = official_inputs(answers)
    network = from_official(weights)
    assert sum(p.numel() for p in network.parameters()) == parameters[name]
    theirs = torch.from_numpy(answers["output"])
    if name == "pconv":  # whose authors normalise pictures outside their network
        theirs = theirs * network.deviation + network.mean
    assert ((theirs > 0) & (theirs < 1)).float().mean() > 0.1
    with torch.no_grad():
        ours = network(image, mask).answer
    assert relative_error(ours, theirs.clamp(0, 1).numpy()) < bounds[name]


def test_an_incomplete_file(name, weights):
    keys = {
        "lama": ("model.6.conv2.bn_g.weight", r"do not fit the network 'lama'.*global_norm"),
        "lbam": ("reverseConv3.activationFuncG_A.mu", r"lbam.*incomplete.*reverseConv3"),
        "pconv": ("dec_3.conv.input_conv.weight", r"pconv.*incomplete.*dec_3"),
    }
    lost, told = keys[name]
    less = {key: value for key, value in weights.items() if key != lost}
    assert len(less) == len(weights) - 1
    with pytest.raises(CheckpointError, match=told):
        from_official(less)
