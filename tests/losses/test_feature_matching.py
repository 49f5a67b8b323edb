"""Feature matching equals loops over layers and scales."""

import pytest
import torch

from regionwise.losses.feature_matching import feature_matching, multi_scale_feature_matching


def layers(seed, scale=1, dtype=torch.float64):
    rng = torch.Generator().manual_seed(seed)
    sizes = [(2, 3, 6 // scale, 4), (2, 5, 3, 2), (2, 1, 3, 1)]
    return [torch.randn(size, generator=rng, dtype=dtype) for size in sizes]


def scale(maps):
    """As a discriminator gives them: scores, and the features before them."""
    return maps[-1], maps[:-1]


def looped(fake, real, together):
    distances = [((f - r).abs().sum() / f.numel()).item() for f, r in zip(fake, real, strict=True)]
    return sum(distances) / (len(distances) if together == "mean" else 1)


@pytest.mark.parametrize("together", ["mean", "sum"])
def test_equals_a_loop(together):
    fake, real = layers(1), layers(2)
    value = feature_matching(fake, real, layers=together)
    assert value.item() == pytest.approx(looped(fake, real, together))
    fakes, reals = [fake, layers(3, scale=2)], [real, layers(4, scale=2)]
    for scores in (False, True):
        value = multi_scale_feature_matching(
            [scale(f) for f in fakes], [scale(r) for r in reals], layers=together, scores=scores
        )
        last = None if scores else -1
        pairs = zip(fakes, reals, strict=True)
        wanted = sum(looped(f[:last], r[:last], together) for f, r in pairs)
        assert value.item() == pytest.approx(wanted)


def test_gradcheck():
    fake, real = layers(1), layers(2)
    for feature in fake:
        feature.requires_grad_()
    assert torch.autograd.gradcheck(
        lambda *f: multi_scale_feature_matching([scale(f)], [scale(real)], scores=True), fake
    )


def test_true_features_get_no_gradient():
    fake, real = layers(1), layers(2)
    for feature in fake + real:
        feature.requires_grad_()
    feature_matching(fake, real).backward()
    assert all(feature.grad is None for feature in real)
    assert all(feature.grad.any() for feature in fake)


def test_half_precision():
    fake, real = layers(1, dtype=torch.bfloat16), layers(2, dtype=torch.bfloat16)
    value = feature_matching(fake, real)
    assert value.dtype == torch.float32
    wanted = feature_matching([f.double() for f in fake], [r.double() for r in real])
    assert value.item() == pytest.approx(wanted.item(), rel=1e-6)


def test_layers_that_do_not_match():
    with pytest.raises(ValueError, match="zip"):
        feature_matching(layers(1)[:2], layers(2))
