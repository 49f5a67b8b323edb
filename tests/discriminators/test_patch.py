"""PatchGAN's discriminator, what it sees beside a candidate, and several candidates at once."""

import pytest
import torch

from regionwise.discriminators.discriminator import judge_all
from regionwise.discriminators.patch import PatchDiscriminator
from regionwise.discriminators.registry import DISCRIMINATORS, create_discriminator
from regionwise.errors import ModelError, RecipeError
from regionwise.layers.canny import gray


def test_a_score_sees_70_pixels():
    network = PatchDiscriminator(width=4).eval()
    candidate = torch.rand(1, 3, 160, 160, requires_grad=True)
    (scale,) = network(candidate, torch.rand(1, 3, 160, 160), torch.zeros(1, 1, 160, 160))
    scale.scores[..., 9, 9].sum().backward()
    rows = candidate.grad.abs().sum(dim=(0, 1, 3)).nonzero()
    assert int(rows.max() - rows.min()) + 1 == 70


def test_beside_the_grey_photo():
    torch.manual_seed(0)
    network = PatchDiscriminator(channels=1, width=4, beside="gray").eval()
    bare = PatchDiscriminator(channels=2, width=4).eval()
    bare.load_state_dict(network.state_dict())
    edges, image, mask = (
        torch.rand(1, 1, 32, 32),
        torch.rand(1, 3, 32, 32),
        torch.ones(1, 1, 32, 32),
    )
    (scale,) = network(edges, image, mask)
    (other,) = bare(torch.cat([edges, gray(image)], dim=1), image, mask)
    assert torch.equal(scale.scores, other.scores)
    with pytest.raises(ModelError, match="beside='color' is not one of nothing, gray"):
        PatchDiscriminator(beside="color")


@pytest.mark.parametrize("name", DISCRIMINATORS)
def test_several_candidates_at_once_are_judged_as_each_alone(name):
    """Whatever the discriminator looks at beside them; the signature is one for all."""
    torch.manual_seed(0)
    sized = {"size": 64, "window": 32} if name.startswith("local") else {}
    network = create_discriminator(name, {"width": 4} | sized).eval()
    image, *candidates = torch.rand(4, 2, 3, 64, 64)
    mask = torch.zeros(2, 1, 64, 64)
    mask[0, :, 8:30, 10:40] = mask[1, :, 30:50, 2:20] = 1
    together = judge_all(network, candidates, image, mask)
    for candidate, judgement in zip(candidates, together, strict=True):
        for scale, alone in zip(judgement, network(candidate, image, mask), strict=True):
            torch.testing.assert_close(scale.scores, alone.scores)
            for one, other in zip(scale.features, alone.features, strict=True):
                torch.testing.assert_close(one, other)


def test_names_and_options_that_are_not_there():
    with pytest.raises(RecipeError, match="no discriminator is called 'patsch'; did you mean pat"):
        create_discriminator("patsch", {})
    with pytest.raises(RecipeError, match="patch has no option 'widht'; there are: channels"):
        create_discriminator("patch", {"widht": 3})
    with pytest.raises(RecipeError, match="discriminator patch: "):
        create_discriminator("patch", {"width": "wide"})
