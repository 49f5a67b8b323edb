"""Our MADF with the authors' weights computes what their network computes.

The fixtures of K = 0 and 1 are those of K = 2 with fewer decoders: same weights, same first stages.
"""

import pytest
import torch
from tests.support.official_fixtures import official_answers, official_inputs, official_weights

from regionwise.checkpoints import from_official
from regionwise.errors import CheckpointError
from regionwise.layers.imagenet import MEAN, STD


@pytest.fixture(scope="module")
def weights():
    return official_weights("madf_k2")


def without_decoders(weights, refinements):
    gone = tuple(f"dec_ref{number}_" for number in range(refinements, 2))
    return {key: value for key, value in weights.items() if not key.startswith(gone)}


def in_our_range(theirs):
    mean, deviation = map(torch.tensor, (MEAN, STD))
    return torch.from_numpy(theirs) * deviation.view(3, 1, 1) + mean.view(3, 1, 1)


def relative_error(ours, theirs):
    return ((ours - theirs).abs().max() / theirs.std()).item()


@pytest.mark.parametrize("refinements", [0, 1, 2])
def test_every_stage(weights, refinements):
    answers = official_answers("madf_k2")
    image, mask = official_inputs(answers)
    network = from_official(without_decoders(weights, refinements))
    with torch.no_grad():
        stages = network(image, mask).stages
    assert len(stages) == refinements + 1
    for number, stage in enumerate(stages):
        theirs = in_our_range(answers[f"stage{number}"])
        inside = (theirs >= 0) & (theirs <= 1)
        assert inside.float().mean() > 0.1
        assert relative_error(stage, theirs.clamp(0, 1)) < 1e-4
        assert relative_error(stage[inside], theirs[inside]) < 1e-4


@pytest.mark.parametrize("fold", [False, True])
def test_before_clipping(weights, fold):
    """In the authors' own range; folding the norms changes nothing that matters."""
    answers = official_answers("madf_k2")
    image, mask = official_inputs(answers)
    network = from_official(weights)
    network = network.folded() if fold else network
    known = 1 - mask
    inputs = torch.cat([(image - network.mean) / network.deviation * known, *3 * [known]], dim=1)
    with torch.no_grad():
        pictures = network.pictures(inputs, mask)
    for number, picture in enumerate(pictures):
        assert relative_error(picture, torch.from_numpy(answers[f"stage{number}"])) < 2e-5


@pytest.mark.parametrize("prefix", ["module.model.", "model.", "module.", ""])
def test_file_of_a_training(weights, prefix):
    """Wrapped as it is saved, with the VGG network of the losses in it."""
    model = {prefix + key: value for key, value in without_decoders(weights, 0).items()}
    model["module.vgg.enc_1.0.weight"] = torch.zeros(64, 3, 3, 3)
    network = from_official({"n_iter": 7, "model": model, "gen_optimizer": {"state": {}}})
    assert not network.training
    assert torch.equal(network.recovery_last.bias, weights["att_conv_1.conv.0.bias"])


def test_incomplete_file(weights):
    broken = {key: value for key, value in weights.items() if key != "att_conv_4.conv.0.bias"}
    with pytest.raises(CheckpointError, match=r"do not fit the network 'madf'.*recovery"):
        from_official(broken)
