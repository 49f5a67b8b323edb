"""Soft regions, and regions by depth: against loops, and against the paper's two."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from regionwise.errors import ModelError
from regionwise.layers.region_norm import RegionNormBasic, region_normalize
from regionwise.layers.region_norm_variants import (
    RegionNormDistance,
    RegionNormSoft,
    distance_regions,
    soft_region_normalize,
)


def test_soft_is_the_weighted_definition():
    torch.manual_seed(0)
    x = torch.randn(2, 3, 5, 6) * 3 + 50
    members = torch.softmax(torch.randn(2, 3, 5, 6), dim=1)
    expected = torch.zeros_like(x)
    for n in range(2):
        for c in range(3):
            for k in range(3):
                weight = members[n, k].double()
                values = x[n, c].double()
                mean = (weight * values).sum() / weight.sum()
                variance = (weight * (values - mean) ** 2).sum() / weight.sum()
                expected[n, c] += (weight * (values - mean) / (variance + 1e-5).sqrt()).float()
    torch.testing.assert_close(soft_region_normalize(x, members), expected, atol=1e-4, rtol=1e-4)


def test_hard_members_are_region_normalization():
    x = torch.randn(2, 4, 9, 7) * 2 - 30
    hole = (torch.rand(2, 1, 9, 7) < 0.4).float()
    members = torch.cat([1 - hole, hole], dim=1)
    torch.testing.assert_close(
        soft_region_normalize(x, members), region_normalize(x, members), atol=2e-4, rtol=1e-4
    )


def test_a_region_that_hardly_is_stays_finite():
    members = torch.cat([torch.full((1, 1, 4, 4), 1 - 1e-6), torch.full((1, 1, 4, 4), 1e-6)], 1)
    x = (torch.randn(1, 2, 4, 4) * 100).requires_grad_()
    answer = soft_region_normalize(x, members)
    answer.square().sum().backward()
    assert answer.isfinite().all()
    assert x.grad.isfinite().all()


def test_gradients_reach_the_response_by_the_statistics_alone():
    """With γ and β off, RN-L's response gets none, and the soft one's does."""
    torch.manual_seed(0)
    layer = RegionNormSoft(4).double()
    for parameter in layer.affine.parameters():
        torch.nn.init.zeros_(parameter)
    x = torch.randn(1, 4, 8, 8, dtype=torch.double)
    (layer(x) * torch.randn_like(x)).sum().backward()
    assert layer.response.weight.grad.abs().sum() > 0
    assert torch.autograd.gradcheck(
        lambda x, m: soft_region_normalize(x, torch.cat([m, 1 - m], 1)),
        (
            torch.randn(1, 2, 4, 4, dtype=torch.double, requires_grad=True),
            torch.rand(1, 1, 4, 4, dtype=torch.double, requires_grad=True),
        ),
        eps=1e-3,
        atol=2e-2,  # it computes in float32
    )


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 25), st.integers(1, 25), st.integers(2, 6), st.integers(0, 99))
def test_depths_by_brute_force(height, width, count, seed):
    rng = np.random.default_rng(seed)
    hole = rng.random((height, width)) < rng.choice([0.3, 0.9, 1.0])
    regions = distance_regions(torch.from_numpy(hole[None, None]).float(), count)[0].numpy()
    assert regions.shape == (count, height, width)
    assert (regions.sum(0) == 1).all()
    known = np.argwhere(~hole)
    edges = [2**k - 1 for k in range(1, count - 1)]  # 1, 3, 7, ...
    for y, x in np.ndindex(height, width):
        depth = np.abs(known - (y, x)).max(1).min() if len(known) else np.inf
        expected = 0 if depth == 0 else 1 + sum(depth > edge for edge in edges)
        assert regions[expected, y, x] == 1


def test_two_regions_are_rn_b():
    x, mask = torch.randn(2, 3, 12, 10), torch.zeros(2, 1, 24, 20)
    mask[..., 4:16, 4:12] = 1
    layer, basic = RegionNormDistance(3, regions=2), RegionNormBasic(3)
    for one in (layer, basic):
        torch.nn.init.constant_(one.weight[1], 2.0)
    torch.testing.assert_close(layer(x, mask), basic(x, mask))


def test_each_depth_has_its_own_statistics():
    mask = torch.zeros(1, 1, 32, 32)
    mask[..., 6:26, 6:26] = 1
    regions = distance_regions(mask, 4)
    x = (regions * torch.tensor([0.0, 5.0, -3.0, 9.0]).view(1, 4, 1, 1)).sum(1, keepdim=True)
    x = x + torch.randn(1, 1, 32, 32)
    answer = RegionNormDistance(1)(x, mask)
    for part in regions[0] > 0.5:
        values = answer[0, 0][part]
        assert values.mean().abs() < 1e-5
        assert values.std(unbiased=False).item() == pytest.approx(1, abs=1e-3)
    with pytest.raises(ModelError, match="the known region and the hole are two"):
        RegionNormDistance(3, regions=1)


def test_they_may_stand_in_the_network():
    from regionwise.models.registry import create_model

    network = create_model("rn", architecture=("distance", "soft", "soft"), width=4, blocks=1)
    image, mask = torch.rand(1, 3, 32, 32), torch.zeros(1, 1, 32, 32)
    mask[..., 8:24, 8:24] = 1
    answer = network(image, mask).answer
    answer.mean().backward()
    assert all(p.grad is not None for p in network.parameters())
    assert F.mse_loss(answer, image).isfinite()
