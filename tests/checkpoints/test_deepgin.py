"""Our DeepGIN with the authors' weights computes what their network computes."""

import pytest
import torch
from tests.support.official_fixtures import official_answers, official_inputs, official_weights

from regionwise import compose
from regionwise.checkpoints import from_official
from regionwise.errors import CheckpointError


@pytest.fixture(scope="module")
def weights():
    return official_weights("deepgin")


def relative_error(ours, theirs):
    theirs = torch.from_numpy(theirs)
    assert ours.shape == theirs.shape
    return ((ours - theirs).abs().max() / theirs.std()).item()


@pytest.fixture(scope="module")
def network(weights):
    return from_official(weights)


def test_every_picture_before_clipping(network):
    """Theirs is never clipped, ours only in eval mode; nothing else depends on the mode."""
    answers = official_answers("deepgin")
    image, mask = official_inputs(answers)
    with torch.no_grad():
        ours = network.train()(image, mask)
    network.eval()
    assert relative_error(ours.stages[0], answers["coarse"]) < 1e-4
    assert relative_error(ours.stages[1], answers["reconstructed"]) < 1e-4
    assert relative_error(ours.low_resolution, answers["lowres"]) < 1e-4
    assert relative_error(compose(image, mask, ours), answers["completed"]) < 1e-4


def test_in_eval_mode_the_answer_is_clipped(network):
    answers = official_answers("deepgin")
    image, mask = official_inputs(answers)
    assert not network.training
    with torch.no_grad():
        ours = network(image, mask)
    for picture, name in [(ours.stages[0], "coarse"), (ours.answer, "reconstructed")]:
        assert relative_error(picture, answers[name].clip(0, 1)) < 1e-4
    assert relative_error(ours.low_resolution, answers["lowres"].clip(0, 1)) < 1e-4


def test_keys_of_several_gpus(weights):
    network = from_official({f"module.{key}": value for key, value in weights.items()})
    torch.testing.assert_close(network.coarse.last.weight, weights["lr_coarse_tinker.31.weight"])


def test_an_incomplete_checkpoint(weights):
    less = {key: value for key, value in weights.items() if key != "r_md_mres5.fusion5.conv.bias"}
    with pytest.raises(CheckpointError, match=r"deepgin.*incomplete.*r_md_mres5.fusion5.conv.bias"):
        from_official(less)


def test_a_tensor_of_another_shape(weights):
    other = weights | {"r_en_conv1.weight": torch.zeros(32, 3, 7, 7)}
    with pytest.raises(CheckpointError, match=r"refinement.encoder.0.weight"):
        from_official(other)
