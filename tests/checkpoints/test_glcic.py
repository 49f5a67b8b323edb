"""Our GLCIC with the known weights computes what their network computes."""

import pytest
import torch

from official_fixtures import official_answers, official_inputs, official_weights, relative_error
from regionwise.checkpoints import from_official
from regionwise.errors import CheckpointError


@pytest.fixture(scope="module")
def weights():
    return official_weights("glcic")


@pytest.mark.parametrize("inside", [False, True])
def test_answer(weights, inside):
    """The colour of holes is an option, or lies among the weights."""
    answers = official_answers("glcic")
    image, mask = official_inputs(answers)
    if inside:
        network = from_official(weights | {"mpv": answers["mpv"]})
    else:
        network = from_official(weights, mean_color=answers["mpv"].tolist())
    assert sum(p.numel() for p in network.parameters()) == 6_072_131
    with torch.no_grad():
        assert relative_error(network(image, mask).answer, answers["output"]) < 1e-4
        grey = from_official(weights)(image, mask).answer
    assert relative_error(grey, answers["output"]) > 1e-2


def test_a_colour_out_of_range(weights):
    with pytest.raises(CheckpointError, match="mean_color"):
        from_official(weights, mean_color=(0, 128, 255))
