"""Our RN with the authors' weights computes what their network computes."""

import pytest
import torch
from tests.support.official_fixtures import official_answers, official_inputs, official_weights

from regionwise.checkpoints import from_official


@pytest.fixture(scope="module")
def weights():
    return official_weights("rn")


def relative_error(ours, theirs):
    theirs = torch.from_numpy(theirs)
    return ((ours - theirs).abs().max() / theirs.std()).item()


def test_each_picture_alone(weights):
    answers = official_answers("rn")
    image, mask = official_inputs(answers)
    network = from_official(weights)
    with torch.no_grad():
        ours = network(image, mask).answer
    assert relative_error(ours, answers["output_single"]) < 1e-4


def test_batch_statistics_give_the_released_answer_for_a_batch(weights):
    answers = official_answers("rn")
    image, mask = official_inputs(answers)
    network = from_official(weights, statistics="batch")
    with torch.no_grad():
        ours = network(image, mask).answer
    assert relative_error(ours, answers["output_batch2"]) < 1e-4
    assert relative_error(ours, answers["output_single"]) > 1e-2


@pytest.mark.parametrize("prefix", ["generator.module.", ""])
def test_keys_of_several_gpus_and_of_the_bare_generator(weights, prefix):
    renamed = {key.replace("generator.", prefix): value for key, value in weights.items()}
    network = from_official(renamed)
    torch.testing.assert_close(network.last.weight, weights["generator.decoder.9.weight"])
