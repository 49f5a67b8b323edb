"""The RN generator: the paper's architectures, any size, the membrane start."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.training.conftest import RECIPES
from torch import nn

from regionwise import compose
from regionwise.errors import ModelError
from regionwise.layers.region_norm import RegionNormBasic, RegionNormLearnable
from regionwise.models.registry import create_model
from regionwise.models.rn.card import ARCHITECTURES
from regionwise.recipe import read_recipe


def slim(**options):
    return create_model("rn", **({"width": 4, "blocks": 1} | options)).eval()


@pytest.mark.parametrize(
    ("reading", "parameters", "decoder", "points"),
    [
        ("paper", 10_776_815, nn.ConvTranspose2d, ("instance", "region", False)),
        ("released", 11_596_591, nn.Sequential, ("batch", "released", True)),
        ("ours", 11_596_591, nn.Sequential, ("instance", "region", True)),
    ],
)
def test_whose_network_it_is(reading, parameters, decoder, points):
    network = create_model("rn", reading=reading)
    assert sum(p.numel() for p in network.parameters()) == parameters
    assert isinstance(network.decoder[0], decoder)
    first, last = network.encoder_norms[0], network.decoder_norms[-1]
    assert (first.statistics, first.affine, first.eps_by_share) == points
    assert (last.statistics, last.eps_by_share) == (points[0], points[2])


def test_recipes_are_what_they_are_called():
    for recipe, reading in (("rn", "paper"), ("rn-released", "released")):
        options = read_recipe(RECIPES / f"{recipe}.yaml").model.options
        assert options == {"architecture": 5, "reading": reading, "threshold": 0.8}


def test_a_single_point_may_be_of_another_reading():
    network = slim(reading="paper", eps_by_share=True, decoder="pixel_shuffle")
    assert network.encoder_norms[0].eps_by_share
    assert isinstance(network.decoder[0], nn.Sequential)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_table_2(architecture):
    network = slim(architecture=architecture)
    names = {RegionNormBasic: "basic", RegionNormLearnable: "learnable"}

    def kind(norm):
        return names.get(type(norm), "instance")

    stages = (network.encoder_norms[0], network.middle[0].norm2, network.decoder_norms[1])
    assert tuple(map(kind, stages)) == ARCHITECTURES[architecture]


@pytest.mark.parametrize("norm", ["batch", "none"])
def test_table_3(norm):
    network = slim(architecture=(norm, norm, norm))
    assert network(torch.rand(1, 3, 16, 16), torch.ones(1, 1, 16, 16)).answer.isfinite().all()


@settings(max_examples=25, deadline=None)
@given(
    height=st.integers(1, 70),
    width=st.integers(1, 70),
    batch=st.integers(1, 3),
    share=st.sampled_from([0.0, 0.3, 1.0]),
    start=st.sampled_from(["white", "membrane"]),
    decoder=st.sampled_from(["pixel_shuffle", "transposed"]),
    downsamplings=st.integers(1, 3),
)
def test_any_size_and_mask(height, width, batch, share, start, decoder, downsamplings):
    network = slim(start=start, decoder=decoder, downsamplings=downsamplings)
    image = torch.rand(batch, 3, height, width)
    mask = (torch.rand(batch, 1, height, width) < share).float()
    with torch.no_grad():
        prediction = network(image, mask)
    assert len(prediction.stages) == 1
    assert prediction.answer.shape == image.shape
    assert 0 <= prediction.answer.min() <= prediction.answer.max() <= 1
    known = (mask == 0).expand_as(image)
    assert torch.equal(compose(image, mask, prediction)[known], image[known])


@pytest.mark.parametrize("start", ["white", "membrane"])
def test_the_hole_is_not_looked_into(start):
    network = slim(start=start)
    image, mask = torch.rand(1, 3, 32, 32), (torch.rand(1, 1, 32, 32) < 0.4).float()
    other = torch.where(mask > 0, torch.rand_like(image), image)
    with torch.no_grad():
        assert torch.equal(network(image, mask).answer, network(other, mask).answer)


def test_a_picture_does_not_depend_on_its_batch():
    network = slim()
    image, mask = torch.rand(3, 3, 32, 24), (torch.rand(3, 1, 32, 24) < 0.4).float()
    with torch.no_grad():
        torch.testing.assert_close(
            network(image, mask).answer[1:2], network(image[1:2], mask[1:2]).answer
        )


def test_the_correction_is_in_units_of_the_pictures_contrast():
    """A flat-lit copy of a photo gets a flat-lit copy of the correction."""
    torch.manual_seed(0)
    network = slim(start="membrane").train()
    image, mask = torch.rand(1, 3, 32, 32), torch.zeros(1, 1, 32, 32)
    mask[..., 8:24, 8:24] = 1
    deviations = []
    from regionwise.layers.membrane import membrane_fill

    with torch.no_grad():
        for contrast in (1.0, 0.5):
            photo = 0.5 + contrast * (image - 0.5)
            correction = network(photo, mask).answer - membrane_fill(photo, mask)
            deviations.append(correction.std().item())
    assert deviations[1] == pytest.approx(deviations[0] / 2, rel=0.35)


def test_gradients_reach_every_weight_but_the_thresholds():
    network = slim(start="membrane").train()
    image, mask = torch.rand(2, 3, 32, 32), (torch.rand(2, 1, 32, 32) < 0.4).float()
    network(image, mask).answer.square().mean().backward()
    idle = [name for name, p in network.named_parameters() if p.grad is None]
    assert idle == []


def test_bfloat16_and_float16_stay_finite():
    network = slim(start="membrane")
    image, mask = torch.rand(1, 3, 40, 40), (torch.rand(1, 1, 40, 40) < 0.4).float()
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        assert network(image, mask).answer.isfinite().all()
    network = network.half()
    with torch.no_grad():
        assert network(image.half(), mask.half()).answer.isfinite().all()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"architecture": 7}, "rn: architecture=7 is not one of 0, 1, 2, 3, 4, 5, 6"),
        ({"reading": "mine"}, "reading='mine' is not one of ours, paper, released"),
        ({"decoder": "bilinear"}, "decoder='bilinear' is not one of pixel_shuffle, transposed"),
        ({"statistics": "other"}, "statistics='other'"),
        ({"affine": "paper"}, "affine='paper'"),
        ({"start": "grey"}, "start='grey' is not one of white, membrane"),
    ],
)
def test_options_that_are_wrong(options, message):
    with pytest.raises(ModelError, match=message):
        create_model("rn", **options)
