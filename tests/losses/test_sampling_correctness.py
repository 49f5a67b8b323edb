"""Sampling correctness against loops over pixels."""

import math

import pytest
import torch

from regionwise.errors import RecipeError
from regionwise.layers.appearance_flow import gaussian_sample
from regionwise.losses.sampling_correctness import sampling_correctness


def question(height=6, width=7):
    torch.manual_seed(0)
    truth, photo = torch.randn(2, 2, 5, height, width, dtype=torch.double)
    flow = torch.randn(2, 2, height, width, dtype=torch.double)
    mask = torch.zeros(2, 1, 4 * height, 4 * width, dtype=torch.double)
    mask[0, :, 4:16, 8:20] = 1
    mask[1, :, 8:, :12] = 1
    return truth, photo, flow, mask


def test_is_the_definition():
    truth, photo, flow, mask = question()
    fetched = gaussian_sample(photo, flow, 4, 2.0)
    means = []
    for n in range(2):
        hole = mask[n, 0, ::4, ::4] > 0.5
        places = [(y, x) for y in range(6) for x in range(7)]
        known = [photo[n, :, y, x] for y, x in places if not hole[y, x]]
        errors = []
        for y, x in (place for place in places if hole[place]):
            wanted = truth[n, :, y, x]
            best = max(torch.cosine_similarity(wanted, one, dim=0).item() for one in known)
            own = torch.cosine_similarity(wanted, fetched[n, :, y, x], dim=0).item()
            errors.append(math.exp(-own / best))
        means.append(sum(errors) / len(errors))
    value = sampling_correctness([truth], [photo], flow, mask)
    assert value.item() == pytest.approx(sum(means) / 2)


def test_gradients_lead_to_what_is_alike():
    """A stripe that the hole lacks lies to the right: the flow learns to point there."""
    photo = torch.randn(1, 6, 8, 16, generator=torch.Generator().manual_seed(0))
    truth = photo.clone()
    truth[..., :4] = photo[..., 8:12]
    mask = torch.zeros(1, 1, 8, 16)
    mask[..., :4] = 1
    flow = torch.zeros(1, 2, 8, 16)
    flow[:, 0, :, :4] = 6.0
    flow.requires_grad_()
    before = sampling_correctness([truth], [photo], flow, mask)
    optimizer = torch.optim.Adam([flow], lr=0.1)
    for _ in range(60):
        loss = sampling_correctness([truth], [photo], flow, mask)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert loss < before
    assert flow.grad[..., 4:].abs().max() == 0  # nothing is asked of the known region
    assert flow[0, 0, :, :4].mean() > 6.5


def test_a_layer_of_another_size_is_told():
    truth, photo, flow, mask = question()
    with pytest.raises(RecipeError, match="the features are 6×7, the flow 3×7"):
        sampling_correctness([truth], [photo], flow[:, :, ::2], mask)
