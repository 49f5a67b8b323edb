"""PIC's reconstructive path, which is there in training alone."""

import pytest
import torch
from torch.distributions import Normal, kl_divergence

from regionwise.models.pic.network import _divergence
from regionwise.models.registry import create_model


def question():
    torch.manual_seed(0)
    mask = torch.zeros(2, 1, 64, 64)
    mask[0, :, 10:30, 20:50] = 1
    mask[1, :, 32:] = 1
    return torch.rand(2, 3, 64, 64), mask


def network(**options):
    torch.manual_seed(0)
    return create_model("pic", width=4, **options)


def test_in_use_the_hole_is_not_looked_into():
    image, mask = question()
    model = network(posterior=True, temperature=0.0).eval()
    other = torch.where(mask > 0, torch.rand_like(image), image)
    with torch.no_grad():
        one, same = model(image, mask), model(other, mask)
    assert len(one.stages) == 4
    assert one.numbers == {}
    assert torch.equal(one.answer, same.answer)


def test_in_training_the_first_path_knows_what_the_hole_holds():
    image, mask = question()
    model = network(posterior=True, temperature=0.0).train()
    other = torch.where(mask > 0, 1 - image, image)
    torch.manual_seed(1)
    one = model(image, mask)
    torch.manual_seed(1)
    same = model(other, mask)
    assert len(one.stages) == 8
    assert all(stage.shape == image.shape for stage in one.stages)
    assert not torch.allclose(one.stages[3], same.stages[3])
    assert torch.equal(one.stages[7], same.stages[7])
    assert one.numbers["divergence"].shape == (2,)


def test_divergence_is_torchs():
    _, hole = question()
    mean, other = torch.randn(2, 2, 8, 2, 2)
    std, other_std = torch.rand(2, 2, 8, 2, 2) + 0.1
    expected = []
    for n in range(2):
        share = hole[n].mean()
        q, p = Normal(mean[n], std[n]), Normal(other[n], other_std[n])
        normal = Normal(torch.zeros_like(mean[n]), share.expand_as(mean[n]))
        expected.append((kl_divergence(q, p) + kl_divergence(q, normal)).mean())
    torch.testing.assert_close(
        _divergence(mean, std, other, other_std, hole), torch.stack(expected)
    )


def test_gradients_reach_both_paths():
    image, mask = question()
    model = network(posterior=True).train()
    prediction = model(image, mask)
    loss = sum(stage.mean() for stage in prediction.stages)
    (loss + prediction.numbers["divergence"].mean()).backward()
    assert [name for name, p in model.named_parameters() if p.grad is None] == []


def test_released_weights_need_no_posterior():
    keys = set(network().state_dict())
    assert {key for key in network(posterior=True).state_dict() if key not in keys} == {
        f"posterior.{layer}.{part}"
        for layer in ("conv1", "conv2", "bypass")
        for part in ("weight", "bias")
    }
    assert sum(
        p.numel() for p in create_model("pic", posterior=True).posterior.parameters()
    ) == pytest.approx(475_776)
