"""Region Normalization against its equations, written as loops."""

import copy
import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from regionwise.errors import ModelError
from regionwise.layers.region_norm import (
    RegionNorm,
    RegionNormBasic,
    RegionNormLearnable,
    region_normalize,
)


def one_hot(labels, regions):
    return torch.nn.functional.one_hot(labels, regions).permute(0, 3, 1, 2).double()


def literal(x, labels, regions, statistics="instance", eps=1e-5, eps_by_share=False):
    """Equations (8) to (12), pixel by pixel, in Python's own double precision."""
    batch, channels, height, width = x.shape
    answer = torch.zeros_like(x, dtype=torch.float64)
    groups = [range(batch)] if statistics == "batch" else [[n] for n in range(batch)]
    for group in groups:
        places = [(n, i, j) for n in group for i in range(height) for j in range(width)]
        for k in range(regions):
            mine = [place for place in places if int(labels[place]) == k]
            for c in range(channels):
                values = [float(x[n, c, i, j]) for n, i, j in mine]
                if not values:
                    continue
                mean = math.fsum(values) / len(values)
                variance = math.fsum((v - mean) ** 2 for v in values) / len(values)
                share = len(values) / len(places)
                sigma = math.sqrt(variance + (eps / share if eps_by_share else eps))
                for (n, i, j), value in zip(mine, values, strict=True):
                    answer[n, c, i, j] = (value - mean) / sigma
    return answer


@settings(max_examples=40, deadline=None)
@given(
    batch=st.integers(1, 3),
    channels=st.integers(1, 5),
    height=st.integers(1, 9),
    width=st.integers(1, 9),
    regions=st.integers(1, 4),
    statistics=st.sampled_from(["instance", "batch"]),
    eps_by_share=st.booleans(),
    seed=st.integers(0, 1000),
)
def test_equals_the_equations(
    batch, channels, height, width, regions, statistics, eps_by_share, seed
):
    torch.manual_seed(seed)
    x = torch.randn(batch, channels, height, width, dtype=torch.float64) * 3 + 1
    labels = torch.randint(0, regions, (batch, height, width))
    options = {"statistics": statistics, "eps_by_share": eps_by_share}
    ours = region_normalize(x, one_hot(labels, regions), **options)
    torch.testing.assert_close(ours, literal(x, labels, regions, **options), atol=1e-9, rtol=1e-9)


def test_one_region_is_instance_normalisation():
    x = torch.randn(2, 5, 9, 7)
    ours = region_normalize(x, torch.ones(2, 1, 9, 7))
    torch.testing.assert_close(ours, torch.nn.functional.instance_norm(x), atol=1e-6, rtol=1e-5)


@pytest.mark.parametrize("statistics", ["instance", "batch"])
@pytest.mark.parametrize("compiling", [False, True])
def test_gradients(monkeypatch, statistics, compiling):
    """Of the blockwise path and of the plain one that compilers and GPUs take."""
    monkeypatch.setattr(torch.compiler, "is_compiling", lambda: compiling)
    torch.manual_seed(0)

    def normal(*shape):
        return torch.randn(*shape, dtype=torch.float64, requires_grad=True)

    regions = one_hot(torch.randint(0, 3, (2, 5, 4)), 3)
    arguments = (
        normal(2, 3, 5, 4),
        normal(3, 3),
        normal(3, 3),
        normal(2, 1, 5, 4),
        normal(2, 1, 5, 4),
    )

    def function(x, weight, bias, gamma, beta):
        return region_normalize(x, regions, weight, bias, gamma, beta, statistics=statistics)

    assert torch.autograd.gradcheck(function, arguments)


def test_both_paths_agree(monkeypatch):
    x, regions = torch.randn(2, 8, 33, 17), one_hot(torch.randint(0, 2, (2, 33, 17)), 2)
    blockwise = region_normalize(x, regions, eps_by_share=True)
    monkeypatch.setattr(torch.compiler, "is_compiling", lambda: True)
    torch.testing.assert_close(blockwise, region_normalize(x, regions, eps_by_share=True))


@pytest.mark.parametrize("share", [0.5, 0.01])
@pytest.mark.parametrize(("compiling", "bound"), [(False, 1e-5), (True, 1e-3)])
def test_accurate_where_the_mean_is_a_thousand_deviations(monkeypatch, share, compiling, bound):
    monkeypatch.setattr(torch.compiler, "is_compiling", lambda: compiling)
    torch.manual_seed(0)
    exact = torch.randn(1, 4, 128, 128, dtype=torch.float64)
    hole = torch.rand(1, 1, 128, 128) < share
    x = (exact + torch.where(hole, 1000.0, -1000.0)).float()
    regions = torch.cat([~hole, hole], dim=1).float()
    wanted = region_normalize(x.double(), regions)
    error = (region_normalize(x, regions).double() - wanted).abs().max().item()
    assert error < bound


@pytest.mark.parametrize("hole", [0, 1, 63, 64])
@pytest.mark.parametrize("norm", [RegionNormBasic(6), RegionNormLearnable(6)])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
def test_finite_where_a_region_is_empty_or_one_pixel(hole, norm, dtype):
    x = (torch.randn(2, 6, 8, 8) * 50 + 300).to(dtype).requires_grad_()
    mask = (torch.arange(64).view(1, 1, 8, 8) < hole).float().expand(2, 1, 8, 8)
    y = copy.deepcopy(norm).to(dtype)(x, mask)
    y.float().sum().backward()
    assert y.dtype == dtype
    assert y.isfinite().all()
    assert x.grad is not None
    assert x.grad.isfinite().all()


def test_half_precision_is_near_single():
    torch.manual_seed(0)
    x, mask = torch.randn(1, 8, 32, 32) + 5, (torch.rand(1, 1, 32, 32) < 0.3).float()
    norm = RegionNormBasic(8)
    low = norm(x.bfloat16(), mask).float()
    assert (low - norm(x.bfloat16().float(), mask)).abs().max() < 0.02


def released_basic(x, mask, layer):
    """As released: outside filled with the region's mean, norm, times the root of the share."""

    def region(inside):
        pixels = inside.sum(dim=(2, 3), keepdim=True).clamp(min=1)
        mean = (x * inside).sum(dim=(2, 3), keepdim=True) / pixels
        filled = x * inside + (1 - inside) * mean
        normal = torch.nn.functional.instance_norm(filled, eps=1e-5)
        return normal * torch.sqrt(pixels / (x.shape[2] * x.shape[3]))

    known, hole = region(1 - mask) * (1 - mask), region(mask) * mask
    weight, bias = layer.weight[:, None, :, None, None], layer.bias[:, None, :, None, None]
    return known * weight[0] + hole * weight[1] + bias[0] + bias[1]


def test_basic_in_the_released_reading():
    torch.manual_seed(0)
    layer = RegionNormBasic(5, affine="released", eps_by_share=True).double()
    torch.nn.init.normal_(layer.weight)
    torch.nn.init.normal_(layer.bias)
    x = torch.randn(2, 5, 12, 10, dtype=torch.float64)
    mask = (torch.rand(2, 1, 12, 10) < 0.3).double()
    torch.testing.assert_close(layer(x, mask), released_basic(x, mask, layer))


def test_basic_in_the_papers_reading_keeps_each_regions_bias_to_itself():
    layer = RegionNormBasic(2)
    with torch.no_grad():
        layer.weight.zero_()
        layer.bias.copy_(torch.tensor([[1.0, 2.0], [3.0, 4.0]]))
    mask = torch.zeros(1, 1, 4, 4)
    mask[..., 2:, :] = 1
    y = layer(torch.randn(1, 2, 4, 4), mask)
    assert y[0, :, 0, 0].tolist() == [1, 2]
    assert y[0, :, 3, 3].tolist() == [3, 4]


def test_basic_resizes_the_mask_by_nearest_neighbour():
    layer = RegionNormBasic(3)
    mask = torch.zeros(1, 1, 8, 8)
    mask[..., :4] = 1
    x = torch.randn(1, 3, 4, 4)
    torch.testing.assert_close(layer(x, mask), layer(x, mask[..., ::2, ::2]))


@pytest.mark.parametrize("style", ["layer", "group"])
def test_other_styles_of_one_region_are_the_known_norms(style):
    torch.manual_seed(0)
    x = torch.randn(2, 12, 7, 5, dtype=torch.float64)
    everything = torch.ones(2, 1, 7, 5, dtype=torch.float64)
    found = region_normalize(x, everything, statistics=style, groups=3)
    wanted = torch.nn.functional.group_norm(x, 3 if style == "group" else 1)
    torch.testing.assert_close(found, wanted)


@pytest.mark.parametrize(("style", "groups"), [("layer", 1), ("group", 2)])
def test_other_styles_by_hand(style, groups):
    """Mean and variance over a region's pixels in all channels of a group, then the affine maps."""
    torch.manual_seed(1)
    x = torch.randn(2, 4, 6, 5, dtype=torch.float64)
    hole = (torch.rand(2, 1, 6, 5) < 0.4).double()
    regions = torch.cat([1 - hole, hole], dim=1)
    weight, bias = torch.randn(2, 2, 4, dtype=torch.float64)
    gamma, beta = torch.randn(2, 2, 1, 6, 5, dtype=torch.float64)
    wanted = torch.zeros_like(x)
    for n in range(2):
        for group in range(groups):
            for k in range(2):
                channels = slice(group * 4 // groups, (group + 1) * 4 // groups)
                inside = regions[n, k].bool()
                values = x[n, channels][:, inside]
                normal = (values - values.mean()) / (values.var(correction=0) + 1e-5).sqrt()
                scaled = normal * weight[k, channels, None] + bias[k, channels, None]
                part = scaled * (1 + gamma[n, 0][inside]) + beta[n, 0][inside]
                wanted[n, channels] = wanted[n, channels].masked_scatter(inside, part)
    options = {"statistics": style, "groups": groups}
    torch.testing.assert_close(
        region_normalize(x, regions, weight, bias, gamma, beta, **options), wanted
    )
    with pytest.raises(ModelError, match="4 channels don't fall into 3 equal groups"):
        region_normalize(x, regions, statistics="group", groups=3)


def test_equation_10_in_a_tiny_hole():
    """ε is added to the variance as it is: the released code divides it by the hole's share."""
    torch.manual_seed(0)
    x = 0.01 * torch.randn(1, 3, 64, 64, dtype=torch.float64)
    mask = torch.zeros(1, 1, 64, 64, dtype=torch.float64)
    mask[..., 10:14, 20:24] = 1  # 0.4 % of the pixels
    labels = mask[:, 0].long()
    for by_share in (False, True):
        layer = RegionNormBasic(3, eps_by_share=by_share).double()
        torch.testing.assert_close(
            layer(x, mask), literal(x, labels, 2, eps_by_share=by_share), rtol=1e-7, atol=1e-9
        )
    paper, released = (
        RegionNormBasic(3, eps_by_share=by_share).double()(x, mask)[..., 10:14, 20:24].std()
        for by_share in (False, True)
    )
    assert paper > 0.9
    assert released < 0.3


@pytest.mark.parametrize("by_share", [False, True])
def test_learnable_follows_equations_14_to_16(by_share):
    torch.manual_seed(0)
    layer = RegionNormLearnable(4, threshold=0.5, eps_by_share=by_share).double()
    x = torch.randn(2, 4, 11, 9, dtype=torch.float64)
    pooled = torch.stack([x.mean(dim=1), x.max(dim=1).values], dim=1)
    response = torch.sigmoid(torch.nn.functional.conv2d(pooled, layer.response.weight, padding=3))
    labels = (response < 0.5).long()[:, 0]
    assert 0 < labels.float().mean() < 1
    normalized = literal(x, labels, 2, eps_by_share=by_share)
    gamma, beta = layer.affine(response).split(1, dim=1)
    torch.testing.assert_close(layer(x), normalized * (1 + gamma) + beta)


def test_no_gradient_passes_the_threshold():
    layer = RegionNormLearnable(4, threshold=0.5)
    torch.nn.init.zeros_(layer.affine.weight)
    layer(torch.randn(1, 4, 8, 8)).square().sum().backward()
    assert layer.response.weight.grad is not None
    assert layer.response.weight.grad.abs().max() == 0


def test_general_layer_with_three_regions():
    torch.manual_seed(0)
    layer = RegionNorm(4, regions=3)
    torch.nn.init.normal_(layer.weight)
    torch.nn.init.normal_(layer.bias)
    labels = torch.randint(0, 3, (2, 6, 7))
    x = torch.randn(2, 4, 6, 7)
    wanted = literal(x, labels, 3)
    weight, bias = (p[labels].permute(0, 3, 1, 2).double() for p in (layer.weight, layer.bias))
    ours = layer(x, one_hot(labels, 3)).double()
    torch.testing.assert_close(ours, wanted * weight + bias, atol=1e-5, rtol=1e-5)
