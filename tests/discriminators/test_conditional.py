"""DeepGIN's discriminators: sizes, conditions, spectral norms."""

import pytest
import torch

from regionwise.discriminators.discriminators import ConditionalMultiScaleDiscriminator


@pytest.mark.parametrize(("height", "width"), [(256, 256), (64, 96), (8, 8)])
@pytest.mark.parametrize("maps", [1, 5])
def test_scores_at_a_quarter_of_each_scale(height, width, maps):
    network = ConditionalMultiScaleDiscriminator(width=4, maps=maps)
    with torch.no_grad():
        answers = network(torch.rand(2, 3, height, width), torch.rand(2, 3, height, width))
    for scale, (scores, features) in zip((1, 2), answers, strict=True):
        assert scores.shape == (2, maps, height // scale // 4, width // scale // 4)
        assert [f.shape[1] for f in features] == [4, 8, 16]


def test_odd_sizes():
    network = ConditionalMultiScaleDiscriminator(width=4)
    for scores, _ in network(torch.rand(1, 3, 37, 29), torch.rand(1, 3, 37, 29)):
        assert scores.isfinite().all()


def test_both_pictures_count():
    torch.manual_seed(0)
    network = ConditionalMultiScaleDiscriminator(width=4).eval()
    masked, candidate = (torch.rand(1, 3, 32, 32, requires_grad=True) for _ in range(2))
    sum(scores.mean() for scores, _ in network(masked, candidate)).backward()
    assert masked.grad.abs().max() > 0
    assert candidate.grad.abs().max() > 0


@pytest.mark.parametrize("scale", [0, 1])
def test_a_score_sees_26_pixels_of_its_scale(scale):
    network = ConditionalMultiScaleDiscriminator(width=4).eval()
    candidate = torch.rand(1, 3, 128, 128, requires_grad=True)
    scores, _ = network(torch.rand(1, 3, 128, 128), candidate)[scale]
    scores[..., scores.shape[2] // 2, scores.shape[3] // 2].sum().backward()
    rows = candidate.grad.abs().sum(dim=(0, 1, 3)).nonzero()
    seen = int(rows.max() - rows.min()) + 1
    assert seen == (26 if scale == 0 else 2 * 26 + 1)


def test_each_convolution_has_spectral_norm_one():
    network = ConditionalMultiScaleDiscriminator(width=4)
    for _ in range(30):  # power iterations run in training
        network(torch.rand(1, 3, 16, 16), torch.rand(1, 3, 16, 16))
    convolutions = [m for m in network.modules() if isinstance(m, torch.nn.Conv2d)]
    assert len(convolutions) == 8
    for convolution in convolutions:
        norm = torch.linalg.matrix_norm(convolution.weight.detach().flatten(1), 2)
        assert norm.item() == pytest.approx(1, abs=0.05)
