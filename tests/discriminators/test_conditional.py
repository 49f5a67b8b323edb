"""DeepGIN's discriminators: sizes, conditions, spectral norms."""

import pytest
import torch

from regionwise.discriminators.conditional import ConditionalMultiScaleDiscriminator
from regionwise.errors import ModelError


@pytest.mark.parametrize(("height", "width"), [(256, 256), (64, 96), (8, 8)])
@pytest.mark.parametrize("maps", [1, 5])
def test_scores_at_a_quarter_of_each_scale(height, width, maps):
    network = ConditionalMultiScaleDiscriminator(width=4, maps=maps)
    with torch.no_grad():
        answers = network(*torch.rand(2, 2, 3, height, width), torch.zeros(2, 1, height, width))
    for scale, (scores, features) in zip((1, 2), answers, strict=True):
        assert scores.shape == (2, maps, height // scale // 4, width // scale // 4)
        assert [f.shape[1] for f in features] == [4, 8, 16]


def test_a_layout_that_is_not_there():
    with pytest.raises(ModelError, match="layout='other' is not one of paper, released"):
        ConditionalMultiScaleDiscriminator(layout="other")


def test_odd_sizes():
    network = ConditionalMultiScaleDiscriminator(width=4)
    for scores, _ in network(*torch.rand(2, 1, 3, 37, 29), torch.zeros(1, 1, 37, 29)):
        assert scores.isfinite().all()


def test_candidate_and_known_pixels_of_the_photo_count():
    torch.manual_seed(0)
    network = ConditionalMultiScaleDiscriminator(width=4).eval()
    candidate, image = (torch.rand(1, 3, 32, 32, requires_grad=True) for _ in range(2))
    mask = torch.zeros(1, 1, 32, 32)
    mask[..., 8:20, 10:30] = 1
    sum(scale.scores.mean() for scale in network(candidate, image, mask)).backward()
    assert candidate.grad.abs().max() > 0
    assert (image.grad * (1 - mask)).abs().max() > 0
    assert (image.grad * mask).abs().max() == 0  # it is white to the discriminator


@pytest.mark.parametrize("scale", [0, 1])
def test_a_score_sees_26_pixels_of_its_scale(scale):
    network = ConditionalMultiScaleDiscriminator(width=4).eval()
    candidate = torch.rand(1, 3, 128, 128, requires_grad=True)
    scores, _ = network(candidate, torch.rand(1, 3, 128, 128), torch.zeros(1, 1, 128, 128))[scale]
    scores[..., scores.shape[2] // 2, scores.shape[3] // 2].sum().backward()
    rows = candidate.grad.abs().sum(dim=(0, 1, 3)).nonzero()
    seen = int(rows.max() - rows.min()) + 1
    assert seen == (26 if scale == 0 else 2 * 26 + 1)


def test_each_convolution_has_spectral_norm_one():
    network = ConditionalMultiScaleDiscriminator(width=4)
    for _ in range(30):  # power iterations run in training
        network(*torch.rand(2, 1, 3, 16, 16), torch.zeros(1, 1, 16, 16))
    convolutions = [m for m in network.modules() if isinstance(m, torch.nn.Conv2d)]
    assert len(convolutions) == 8
    for convolution in convolutions:
        norm = torch.linalg.matrix_norm(convolution.weight.detach().flatten(1), 2)
        assert norm.item() == pytest.approx(1, abs=0.05)
