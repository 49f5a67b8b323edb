"""Each adversarial loss equals its equation, and each side moves the way it should."""

import math

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import gaussian_filter
from torch import nn

from regionwise.errors import ModelError, RecipeError
from regionwise.losses.adversarial.patches import hole_patches, weighted_mean
from regionwise.losses.adversarial.registry import ADVERSARIAL_LOSSES, create_adversarial_loss
from regionwise.losses.adversarial.soft_mask import soft_mask
from regionwise.losses.adversarial.wasserstein import gradient_penalty

NAMES = ["hinge", "non-saturating", "least-squares", "region-wise", "wasserstein"]


def log_sigmoid(x):
    return -math.log1p(math.exp(-x))


REAL = {
    "hinge": lambda x: max(0, 1 - x),
    "non-saturating": lambda x: -log_sigmoid(x),
    "least-squares": lambda x: (x - 1) ** 2 / 2,
    "region-wise": lambda x: -0.01 * x,
    "wasserstein": lambda x: -x,
}
FAKE = {
    "hinge": lambda x: max(0, 1 + x),
    "non-saturating": lambda x: -math.log(1 - 1 / (1 + math.exp(-x))),
    "least-squares": lambda x: x**2 / 2,
    "region-wise": lambda x: -(1 - x),
    "wasserstein": lambda x: x,
}
GENERATOR = {
    "hinge": lambda x: -x,
    "non-saturating": lambda x: -log_sigmoid(x),
    "least-squares": lambda x: (x - 1) ** 2 / 2,
    "region-wise": lambda x: 1 - x,
    "wasserstein": lambda x: -x,
}


def loss(name, **options):
    return create_adversarial_loss(name, options)


def scores(shape, seed, dtype=torch.float64):
    return 2 * torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def looped(function, values, weights):
    pairs = list(zip(values.flatten().tolist(), weights.flatten().tolist(), strict=True))
    total = sum(weight for _, weight in pairs)
    return sum(weight * function(value) for value, weight in pairs) / total if total else 0.0


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=15, deadline=None)
@given(
    batch=st.integers(1, 3),
    maps=st.integers(1, 2),
    height=st.integers(1, 4),
    width=st.integers(1, 4),
    share=st.sampled_from([0.0, 0.1, 0.5, 1.0]),
    patches=st.sampled_from(["all", "hole"]),
    seed=st.integers(0, 99),
)
def test_equals_a_loop(name, batch, maps, height, width, share, patches, seed):
    """The mean over the patches that count in a picture, then over pictures that have any."""
    one = loss(name, patches=patches)
    real, fake = (scores((batch, maps, height, width), seed + k) for k in (0, 100))
    rng = torch.Generator().manual_seed(seed)
    mask = (torch.rand(batch, 1, 2 * height, 2 * width, generator=rng) < share).float()
    pictures = []
    for n in range(batch):
        each = torch.ones(maps, height, width)
        if patches == "hole":
            for i in range(height):
                for j in range(width):
                    cell = mask[n, 0, 2 * i : 2 * i + 2, 2 * j : 2 * j + 2]
                    each[:, i, j] = cell.any()
        if each.any():
            pictures.append(
                (
                    looped(REAL[name], real[n], each) + looped(FAKE[name], fake[n], each),
                    looped(GENERATOR[name], fake[n], each),
                )
            )
    wanted = [sum(values) / len(values) for values in zip(*pictures, strict=True)] or [0, 0]
    found = one.discriminator(real, [fake], mask), one.generator(fake, mask)
    assert [value.item() for value in found] == pytest.approx(wanted, rel=1e-6, abs=1e-9)


@pytest.mark.parametrize("weighted", ["some", "fractions", "none"])
def test_weighted_mean_equals_a_loop(weighted):
    values = scores((3, 2, 4, 3), 1)
    weight = {
        "some": (scores((3, 1, 4, 3), 2) > 0).float(),
        "fractions": scores((3, 1, 4, 3), 2).abs() / 100,
        "none": torch.zeros(3, 1, 4, 3),
    }[weighted]
    wanted = looped(lambda x: x, values, weight.double().expand_as(values))
    assert weighted_mean(values, weight).item() == pytest.approx(wanted, rel=1e-6, abs=1e-9)
    assert weighted_mean(values, None).item() == pytest.approx(values.mean().item())


@pytest.mark.parametrize("name", NAMES)
def test_several_filled_pictures_are_added_up(name):
    """Each stands against the true one; only eq. (6) counts that once."""
    one = loss(name)
    real, *fakes = (scores((2, 1, 3, 3), seed) for seed in (1, 2, 3))
    mask = torch.ones(2, 1, 6, 6)
    alone = [one.discriminator(real, [fake], mask) for fake in fakes]
    wanted = sum(alone)
    if name == "region-wise":
        wanted = wanted + 0.01 * real.mean()
    torch.testing.assert_close(one.discriminator(real, fakes, mask), wanted)


@pytest.mark.parametrize("name", NAMES)
def test_gradcheck(name):
    one = loss(name, patches="hole")
    real, fake = (scores((2, 1, 3, 2), seed).requires_grad_() for seed in (1, 2))
    mask = (torch.rand(2, 1, 6, 4) < 0.3).double()
    assert torch.autograd.gradcheck(lambda r, f: one.discriminator(r, [f], mask), (real, fake))
    assert torch.autograd.gradcheck(lambda f: one.generator(f, mask), fake)


@pytest.mark.parametrize("name", ADVERSARIAL_LOSSES)
def test_each_side_moves_scores_its_way(name):
    """The discriminator raises true and lowers filled pictures' scores, the generator raises."""
    one = loss(name)
    real, fake = (torch.full((1, 1, 2, 2), 0.3, requires_grad=True) for _ in range(2))
    mask = torch.ones(1, 1, 2, 2)
    of_real, of_fake = torch.autograd.grad(one.discriminator(real, [fake], mask), (real, fake))
    assert (of_real < 0).all()
    assert (of_fake > 0).all()
    (slope,) = torch.autograd.grad(one.generator(fake, mask), fake)
    assert (slope < 0).all()


@pytest.mark.parametrize("name", ADVERSARIAL_LOSSES)
def test_the_bounded_ones_have_no_value_below_0(name):
    """And the others do, or can't be brought to 0: alarms rely on it."""
    one, mask = loss(name), torch.zeros(1, 1, 4, 4)
    mask[..., :2] = 1
    best = [
        one.discriminator(torch.full((1, 1, 4, 4), r), [torch.full((1, 1, 4, 4), f)], mask).item()
        for r in (-1e4, -1.0, 0.0, 1.0, 1e4)
        for f in (-1e4, -1.0, 0.0, 1.0, 1e4)
    ]
    if one.bounded:
        assert min(best) >= 0
    else:
        assert min(best) < 0 or min(best) > 0.01


def test_oracles():
    real, fake = scores((3, 1, 4, 4), 1), scores((3, 1, 4, 4), 2)
    ones, zeros, mask = torch.ones_like(real), torch.zeros_like(real), torch.ones(3, 1, 8, 8)
    entropy = F.binary_cross_entropy_with_logits
    one = loss("non-saturating")
    torch.testing.assert_close(
        one.discriminator(real, [fake], mask), entropy(real, ones) + entropy(fake, zeros)
    )
    torch.testing.assert_close(one.generator(fake, mask), entropy(fake, ones))
    torch.testing.assert_close(
        loss("least-squares").discriminator(real, [fake], mask),
        (F.mse_loss(real, ones) + F.mse_loss(fake, zeros)) / 2,
    )


def test_non_saturating_where_the_discriminator_is_sure():
    fake = torch.tensor([[-1000.0]], requires_grad=True)
    value = loss("non-saturating").generator(fake, torch.ones(1, 1, 2, 2))
    (slope,) = torch.autograd.grad(value, fake)
    assert value == 1000
    assert slope == -1


def test_equation_6_whole():
    """α·E(D(true)) + E(1 − D(first)) + E(1 − D(second))."""
    real, first, second = (scores((2, 1, 3, 3), seed) for seed in (1, 2, 3))
    whole = 0.01 * real.mean() + (1 - first).mean() + (1 - second).mean()
    one, mask = loss("region-wise"), torch.ones(2, 1, 6, 6)
    torch.testing.assert_close(one.discriminator(real, [first, second], mask), -whole)
    raised = one.generator(first, mask) + one.generator(second, mask)
    torch.testing.assert_close(raised, whole - 0.01 * real.mean())


def test_region_wise_released_equals_a_loop():
    """The label is the nearest pixel of the mask, with index ⌊i·H/h⌋, and no maximum of a cell."""
    real, fake = scores((2, 3, 3, 2), 1), scores((2, 3, 3, 2), 2)
    mask = (scores((2, 1, 12, 10), 3) > 1).double()
    wanted = wanted_generator = 0.0
    for n in range(2):
        for c in range(3):
            for i in range(3):
                for j in range(2):
                    at, label = (n, c, i, j), mask[n, 0, i * 12 // 3, j * 10 // 2]
                    wanted += (0.1 * abs(label - real[at]) + abs(fake[at])).item() / 2
                    wanted_generator += abs(label - fake[at]).item() / 2
    one = loss("region-wise-released", real_weight=0.1)
    assert one.discriminator(real, [fake], mask).item() == pytest.approx(wanted)
    assert one.generator(fake, mask).item() == pytest.approx(wanted_generator)


@pytest.mark.parametrize("name", [*NAMES, "region-wise-released"])
def test_half_precision(name):
    one = loss(name)
    real, fake = (scores((2, 1, 30, 30), seed, torch.bfloat16) for seed in (1, 2))
    mask = torch.ones(2, 1, 60, 60)
    for value, wanted in (
        (
            one.discriminator(real, [fake], mask),
            one.discriminator(real.double(), [fake.double()], mask),
        ),
        (one.generator(fake, mask), one.generator(fake.double(), mask)),
    ):
        assert value.dtype == torch.float32
        assert value.item() == pytest.approx(wanted.item(), rel=2e-2, abs=1e-2)


def test_names_and_options_that_are_not_there():
    with pytest.raises(RecipeError, match="no adversarial loss is called 'hing'; did you mean hi"):
        loss("hing")
    with pytest.raises(RecipeError, match="hinge has no option 'patch'; there are: patches"):
        loss("hinge", patch="hole")
    with pytest.raises(ModelError, match="patches='some' is not one of all, hole"):
        loss("hinge", patches="some")
    with pytest.raises(ModelError, match="penalty_in='some' is not one of all, hole"):
        loss("wasserstein", penalty_in="some")


def test_only_wasserstein_has_a_penalty():
    truth, fake, mask = torch.rand(1, 3, 4, 4), torch.rand(1, 3, 4, 4), torch.ones(1, 1, 4, 4)
    for name in ADVERSARIAL_LOSSES:
        penalty = loss(name).penalty(lambda x: 3 * x.sum(dim=(1, 2, 3)), truth, fake, mask)
        assert (penalty != 0) == (name == "wasserstein")


class TestGradientPenalty:
    @pytest.fixture
    def linear(self):
        """A critic whose gradient is known: its weights."""
        network = nn.Sequential(nn.Flatten(), nn.Linear(3 * 4 * 5, 1, bias=False)).double()
        torch.manual_seed(0)
        nn.init.normal_(network[1].weight)
        return network

    def test_of_a_linear_critic(self, linear):
        real, fake = torch.rand(2, 2, 3, 4, 5, dtype=torch.float64)
        norm = linear[1].weight.norm()
        torch.testing.assert_close(gradient_penalty(linear, real, fake), (norm - 1) ** 2)

    def test_in_the_hole(self, linear):
        real, fake = torch.rand(2, 2, 3, 4, 5, dtype=torch.float64)
        mask = (torch.rand(2, 1, 4, 5) < 0.5).double()
        slopes = linear[1].weight.view(1, 3, 4, 5) * mask
        wanted = (slopes.flatten(1).norm(dim=1) - 1).square().mean()
        torch.testing.assert_close(gradient_penalty(linear, real, fake, mask), wanted)

    def test_without_a_hole_has_a_gradient_without_nan(self, linear):
        real, fake = torch.rand(2, 2, 3, 4, 5, dtype=torch.float64)
        penalty = gradient_penalty(linear, real, fake, torch.zeros(2, 1, 4, 5))
        penalty.backward()
        assert penalty == 1
        assert linear[1].weight.grad.isfinite().all()

    def test_gradients_of_the_critic(self):
        """Against differences of the penalty itself."""
        critic = nn.Sequential(nn.Conv2d(3, 2, 3), nn.Softplus(), nn.Conv2d(2, 1, 2)).double()
        real, fake = torch.rand(2, 2, 3, 5, 5, dtype=torch.float64)
        names = [name for name, _ in critic.named_parameters()]

        def penalty(*weights):
            def scores_of(x):
                return torch.func.functional_call(critic, dict(zip(names, weights, strict=True)), x)

            fixed = torch.Generator().manual_seed(5)
            return gradient_penalty(scores_of, real, fake, generator=fixed)

        weights = [w.detach().requires_grad_() for w in critic.parameters()]
        assert torch.autograd.gradcheck(penalty, weights)

    def test_points_lie_between_true_and_filled(self):
        seen = []

        def scores_of(x):
            seen.append(x.detach())
            return x.sum(dim=(1, 2, 3))

        real, fake = torch.zeros(50, 3, 2, 2), torch.ones(50, 3, 2, 2)
        gradient_penalty(scores_of, real, fake)
        parts = seen[0].flatten(1)
        assert (parts == parts[:, :1]).all()
        assert 0 <= parts.min() < 0.2
        assert 0.8 < parts.max() <= 1


@settings(max_examples=30, deadline=None)
@given(
    side=st.sampled_from([8, 16, 24]),
    scale=st.sampled_from([1, 2, 4, 8]),
    share=st.sampled_from([0.0, 0.02, 0.3, 1.0]),
    seed=st.integers(0, 99),
)
def test_hole_patches_are_those_that_hold_some_of_the_hole(side, scale, share, seed):
    rng = torch.Generator().manual_seed(seed)
    mask = (torch.rand(2, 1, side, side, generator=rng) < share).float()
    patches = hole_patches(mask, torch.zeros(2, 1, side // scale, side // scale))
    for n in range(2):
        for i in range(side // scale):
            for j in range(side // scale):
                cell = mask[n, 0, i * scale : (i + 1) * scale, j * scale : (j + 1) * scale]
                assert patches[n, 0, i, j] == cell.any()


class TestSoftMask:
    """AOT-GAN's labels."""

    def test_blurred_as_scipy_does(self):
        mask = torch.zeros(1, 1, 96, 80)
        mask[..., 20:60, 0:30] = 1
        ours = soft_mask(mask, mask)[0, 0].numpy()
        theirs = gaussian_filter(mask[0, 0].numpy(), 10, mode="nearest", radius=35)
        assert abs(ours - theirs).max() < 1e-5

    @pytest.mark.parametrize("value", [0.0, 1.0])
    def test_a_mask_of_one_value_stays_so(self, value):
        soft = soft_mask(torch.full((2, 1, 40, 33), value), torch.zeros(2, 1, 5, 4))
        torch.testing.assert_close(soft, torch.full((2, 1, 5, 4), value))

    def test_by_hand(self):
        mask = torch.zeros(2, 1, 64, 64)
        mask[0, :, 16:48, 16:48] = 1
        real, fake = scores((2, 1, 8, 8), 1), scores((2, 1, 8, 8), 2)
        one = loss("soft-mask")
        soft, hole = soft_mask(mask, fake), mask[..., ::8, ::8]
        squares = (real - 1) ** 2 + (fake + soft - 1) ** 2
        assert one.discriminator(real, [fake], mask) == pytest.approx(squares.mean())
        aim = ((fake - 1) ** 2 * hole).mean()
        assert one.generator(fake, mask) == pytest.approx(aim)
        assert one.generator(fake, 0 * mask) == 0
