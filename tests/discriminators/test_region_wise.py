"""The region-wise discriminator sees the hole alone; of whole pictures it is DeepFill v2's."""

import pytest
import torch

from regionwise.discriminators.region_wise import RegionWiseDiscriminator
from regionwise.errors import ModelError


def holes(batch, height, width, share):
    return (torch.rand(batch, 1, height, width) < share).float()


def scores_of(discriminator, candidate, mask):
    (scale,) = discriminator(candidate, torch.rand(candidate.shape), mask)
    return scale.scores


@pytest.mark.parametrize(("side", "scores"), [(256, 4), (100, 2), (1, 1)])
def test_shapes(side, scores):
    discriminator = RegionWiseDiscriminator(width=8)
    image, mask = torch.rand(2, 3, side, side), torch.ones(2, 1, side, side)
    ((answer, features),) = discriminator(image, image, mask)
    assert answer.shape == (2, 32, scores, scores)
    assert [f.shape[1] for f in features] == [8, 16, 32, 32, 32]


def test_known_pixels_do_not_matter():
    discriminator = RegionWiseDiscriminator(width=4).eval()
    image, mask = torch.rand(1, 3, 64, 64), holes(1, 64, 64, 0.4)
    other = torch.where(mask > 0, image, torch.full_like(image, float("nan")))
    assert torch.equal(scores_of(discriminator, image, mask), scores_of(discriminator, other, mask))


def test_the_holes_content_and_shape_do():
    discriminator = RegionWiseDiscriminator(width=4).eval()
    image, mask = torch.rand(1, 3, 64, 64), holes(1, 64, 64, 0.4)
    scores = scores_of(discriminator, image, mask)
    assert not torch.equal(scores, scores_of(discriminator, image * 0.5, mask))
    black = torch.zeros_like(image)
    assert not torch.equal(
        scores_of(discriminator, black, mask), scores_of(discriminator, black, 1 - mask)
    )


def test_gradients_reach_the_hole_alone():
    discriminator = RegionWiseDiscriminator(width=4)
    image, mask = torch.rand(1, 3, 64, 64, requires_grad=True), holes(1, 64, 64, 0.4)
    scores_of(discriminator, image, mask).sum().backward()
    inside = (mask > 0).expand_as(image)
    assert image.grad[inside].abs().max() > 0
    assert image.grad[~inside].abs().max() == 0


def test_of_whole_pictures_it_is_deepfills():
    """The released one has 5,946,816 parameters; it sees known pixels and the mask."""
    discriminator = RegionWiseDiscriminator(sees="picture")
    assert sum(p.numel() for p in discriminator.parameters()) == 5_946_816
    discriminator = RegionWiseDiscriminator(width=4, sees="picture")
    image, mask = torch.rand(1, 3, 64, 64, requires_grad=True), holes(1, 64, 64, 0.4)
    scores = scores_of(discriminator, image, mask)
    scores.sum().backward()
    assert image.grad[(mask == 0).expand_as(image)].abs().max() > 0
    assert not torch.equal(scores, scores_of(discriminator, image, 1 - mask))


def test_signed_pictures_are_mid_grey_where_known():
    """As released: what is known is 0 of [-1, 1], not of [0, 1]."""
    torch.manual_seed(0)
    signed = RegionWiseDiscriminator(width=4, signed=True).eval()
    plain = RegionWiseDiscriminator(width=4).eval()
    plain.load_state_dict(signed.state_dict())
    candidate, mask = torch.rand(1, 3, 64, 64), holes(1, 64, 64, 0.4)
    expected = scores_of(plain, 2 * candidate - 1, mask)
    torch.testing.assert_close(scores_of(signed, candidate, mask), expected)
    grey, black = (torch.full_like(candidate, value) for value in (0.5, 0.0))
    full = torch.ones_like(mask)
    nothing = scores_of(plain, black, full)
    torch.testing.assert_close(scores_of(signed, grey, full), nothing)


def test_what_it_cannot_see():
    with pytest.raises(ModelError, match="sees='mask' is not one of hole, picture"):
        RegionWiseDiscriminator(sees="mask")
