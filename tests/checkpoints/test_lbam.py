"""Our LBAM with the authors' weights computes what their network computes."""

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
    return official_weights("lbam")


def test_answer(weights):
    answers = official_answers("lbam")
    image, mask = official_inputs(answers)
    network = from_official(weights)
    assert sum(p.numel() for p in network.parameters()) == 68_304_948
    with torch.no_grad():
        assert relative_error(network(image, mask).answer, answers["output"]) < 1e-4


def test_an_incomplete_file(weights):
    less = {k: v for k, v in weights.items() if k != "reverseConv3.activationFuncG_A.mu"}
    with pytest.raises(CheckpointError, match=r"lbam.*incomplete.*reverseConv3"):
        from_official(less)
