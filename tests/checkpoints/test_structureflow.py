"""Our StructureFlow with the authors' weights computes what their networks compute."""

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
    return official_weights("structureflow")


@pytest.mark.slow
def test_each_part_and_the_whole(weights):
    """92 million weights are drawn for it."""
    answers = official_answers("structureflow")
    image, mask = official_inputs(answers)
    smooth = torch.from_numpy(answers["smooth"]).float() / 255
    given = torch.from_numpy(answers["structure"])
    network = from_official(weights)
    assert sum(p.numel() for p in network.structure_network.parameters()) == 36_057_411
    assert sum(p.numel() for p in network.parameters()) == 36_057_411 + 56_473_475
    with torch.no_grad():
        structure = network.structure(image, mask, smooth)
        _, flow = network.texture(image, mask, given)
        answer, _ = network.texture(image, mask, structure)
    assert relative_error(structure, answers["structure"]) < 1e-4
    assert relative_error(flow, answers["flow"]) < 1e-4
    assert relative_error(answer, answers["output"]) < 1e-4


def test_one_of_two_files():
    only = {"content_param.0.conv.weight": torch.zeros(1)}
    with pytest.raises(CheckpointError, match=r"latest_net_s_gen\.pth and latest_net_f_gen\.pth"):
        from_official(only)
