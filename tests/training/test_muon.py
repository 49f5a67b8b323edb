"""Muon: orthogonal steps, Adam for the rest, and that it can go on from its state."""

import copy

import pytest
import torch
from torch import nn

from regionwise.training.muon import Muon, orthogonalized


@pytest.mark.parametrize("shape", [(64, 128), (64, 576), (300, 80)])
def test_singular_values_come_near_one_and_vectors_stay(shape):
    torch.manual_seed(0)
    matrix = torch.randn(2, *shape)
    answer = orthogonalized(matrix).float()
    values = torch.linalg.svdvals(answer)
    assert values.min() > 0.5
    assert values.max() < 1.3
    left, _, right = torch.linalg.svd(matrix, full_matrices=False)
    likeness = torch.cosine_similarity(answer.flatten(1), (left @ right).flatten(1))
    assert likeness.min() > 0.95


@pytest.mark.parametrize("decay", [-3.0, -6.0])
def test_matrices_of_nearly_low_rank_do_not_explode(decay):
    torch.manual_seed(0)
    left = torch.linalg.qr(torch.randn(160, 160))[0]
    right = torch.linalg.qr(torch.randn(1440, 160))[0]
    matrix = left @ torch.diag(torch.logspace(0, decay, 160)) @ right.T
    assert torch.linalg.svdvals(orthogonalized(matrix[None])[0].float()).max() < 1.3


def test_narrow_weights_move_as_adam_moves_them():
    torch.manual_seed(0)
    ours = nn.Sequential(nn.Conv2d(3, 8, 3), nn.PReLU(8))
    theirs = copy.deepcopy(ours)
    settings = {"lr": 1e-2, "betas": (0.8, 0.99)}
    optimizers = (
        Muon(ours.parameters(), **settings),
        torch.optim.Adam(theirs.parameters(), **settings),
    )
    for _ in range(4):
        x = torch.randn(5, 3, 7, 7)
        for network, optimizer in zip((ours, theirs), optimizers, strict=True):
            optimizer.zero_grad()
            network(x).square().mean().backward()
            optimizer.step()
    for own, other in zip(ours.parameters(), theirs.parameters(), strict=True):
        assert torch.allclose(own, other, atol=1e-6)


def test_wide_weights_step_as_far_as_their_shape_says():
    torch.manual_seed(0)
    conv = nn.Conv2d(64, 128, 3, bias=False)
    before = conv.weight.detach().clone()
    conv.weight.grad = torch.randn_like(conv.weight)
    Muon(conv.parameters(), lr=0.01).step()
    step = conv.weight.detach() - before
    # All 128 singular values are near 1: their root mean square over 128×576 entries is known.
    expected = 0.01 * 0.2 * 576**0.5 * (128 / step.numel()) ** 0.5
    assert step.square().mean().sqrt().item() == pytest.approx(expected, rel=0.2)
    assert (step * conv.weight.grad).sum() < 0


def test_weight_decay_shrinks():
    conv = nn.Conv2d(64, 64, 1, bias=False)
    before = conv.weight.detach().clone()
    conv.weight.grad = torch.zeros_like(conv.weight)
    Muon(conv.parameters(), lr=0.1, weight_decay=0.5).step()
    assert torch.allclose(conv.weight, 0.95 * before)


def test_goes_on_from_its_state():
    torch.manual_seed(0)
    network = nn.Sequential(nn.Conv2d(64, 64, 1), nn.Conv2d(64, 3, 1))
    twin = copy.deepcopy(network)
    inputs = torch.randn(4, 2, 64, 5, 5)

    def train(network, optimizer, pictures):
        for picture in pictures:
            optimizer.zero_grad()
            network(picture).square().mean().backward()
            optimizer.step()

    first = Muon(network.parameters(), lr=1e-2)
    train(network, first, inputs)
    half = Muon(twin.parameters(), lr=1e-2)
    train(twin, half, inputs[:2])
    rest = Muon(twin.parameters(), lr=1e-2)
    rest.load_state_dict(copy.deepcopy(half.state_dict()))
    train(twin, rest, inputs[2:])
    for own, other in zip(network.parameters(), twin.parameters(), strict=True):
        assert torch.equal(own, other)
