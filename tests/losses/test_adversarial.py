"""Each game equals its equation, and each side moves the way it should."""

import math

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import gaussian_filter
from torch import nn

from regionwise.losses import adversarial as games
from regionwise.losses.adversarial import gradient_penalty, hole_patches

NAMES = ["hinge", "non_saturating", "least_squares", "region_wise", "wasserstein"]


def log_sigmoid(x):
    return -math.log1p(math.exp(-x))


REAL = {
    "hinge": lambda x: max(0, 1 - x),
    "non_saturating": lambda x: -log_sigmoid(x),
    "least_squares": lambda x: (x - 1) ** 2 / 2,
    "region_wise": lambda x: -0.01 * x,
    "wasserstein": lambda x: -x,
}
FAKE = {
    "hinge": lambda x: max(0, 1 + x),
    "non_saturating": lambda x: -math.log(1 - 1 / (1 + math.exp(-x))),
    "least_squares": lambda x: x**2 / 2,
    "region_wise": lambda x: -(1 - x),
    "wasserstein": lambda x: x,
}
GENERATOR = {
    "hinge": lambda x: -x,
    "non_saturating": lambda x: -log_sigmoid(x),
    "least_squares": lambda x: (x - 1) ** 2 / 2,
    "region_wise": lambda x: 1 - x,
    "wasserstein": lambda x: -x,
}


def sides(name):
    return getattr(games, f"{name}_discriminator"), getattr(games, f"{name}_generator")


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
    weighted=st.sampled_from([None, "ones", "some", "fractions", "none"]),
    seed=st.integers(0, 99),
)
def test_equals_a_loop(name, batch, maps, height, width, weighted, seed):
    discriminator, generator = sides(name)
    real, fake = (scores((batch, maps, height, width), seed + k) for k in (0, 100))
    weight = {
        None: None,
        "ones": torch.ones(batch, 1, height, width),
        "some": (scores((batch, 1, height, width), seed) > 0).float(),
        "fractions": scores((batch, 1, height, width), seed).abs() / 100,
        "none": torch.zeros(batch, 1, height, width),
    }[weighted]
    each = torch.ones_like(real) if weight is None else weight.double().expand_as(real)
    wanted = looped(REAL[name], real, each) + looped(FAKE[name], fake, each)
    assert discriminator(real, fake, weight).item() == pytest.approx(wanted, rel=1e-6, abs=1e-9)
    wanted = looped(GENERATOR[name], fake, each)
    assert generator(fake, weight).item() == pytest.approx(wanted, rel=1e-6, abs=1e-9)


@pytest.mark.parametrize("name", NAMES)
def test_gradcheck(name):
    discriminator, generator = sides(name)
    real, fake = (scores((2, 1, 3, 2), seed).requires_grad_() for seed in (1, 2))
    weight = torch.rand(2, 1, 3, 2, dtype=torch.float64)
    assert torch.autograd.gradcheck(lambda r, f: discriminator(r, f, weight), (real, fake))
    assert torch.autograd.gradcheck(lambda f: generator(f, weight), fake)


@pytest.mark.parametrize("name", [*NAMES, "region_wise_released", "soft_mask"])
def test_each_side_moves_scores_its_way(name):
    """The discriminator raises true and lowers filled pictures' scores, the generator raises."""
    discriminator, generator = sides(name)
    real, fake = (torch.full((1, 1, 2, 2), 0.3, requires_grad=True) for _ in range(2))
    label = torch.ones(1, 1, 2, 2)
    of_real, of_fake = torch.autograd.grad(discriminator(real, fake, label), (real, fake))
    assert (of_real < 0).all()
    assert (of_fake > 0).all()
    (slope,) = torch.autograd.grad(generator(fake, label), fake)
    assert (slope < 0).all()


def test_oracles():
    real, fake = scores((3, 1, 4, 4), 1), scores((3, 1, 4, 4), 2)
    ones, zeros = torch.ones_like(real), torch.zeros_like(real)
    entropy = F.binary_cross_entropy_with_logits
    torch.testing.assert_close(
        games.non_saturating_discriminator(real, fake), entropy(real, ones) + entropy(fake, zeros)
    )
    torch.testing.assert_close(games.non_saturating_generator(fake), entropy(fake, ones))
    torch.testing.assert_close(
        games.least_squares_discriminator(real, fake),
        (F.mse_loss(real, ones) + F.mse_loss(fake, zeros)) / 2,
    )


def test_non_saturating_where_the_discriminator_is_sure():
    fake = torch.tensor([[-1000.0]], requires_grad=True)
    value = games.non_saturating_generator(fake)
    (slope,) = torch.autograd.grad(value, fake)
    assert value == 1000
    assert slope == -1


def test_equation_6_whole():
    """α·E(D(true)) + E(1 − D(first)) + E(1 − D(second)), from a call for each filled picture."""
    real, first, second = (scores((2, 1, 3, 3), seed) for seed in (1, 2, 3))
    whole = 0.01 * real.mean() + (1 - first).mean() + (1 - second).mean()
    discriminator, generator = sides("region_wise")
    half = 0.01 / 2
    lowered = sum(discriminator(real, fake, real_weight=half) for fake in (first, second))
    torch.testing.assert_close(lowered, -whole)
    raised = generator(first) + generator(second)
    torch.testing.assert_close(raised, whole - 0.01 * real.mean())


def test_region_wise_released_equals_a_loop():
    real, fake = scores((2, 3, 3, 2), 1), scores((2, 3, 3, 2), 2)
    label = (scores((2, 1, 3, 2), 3) > 0).double()
    wanted = wanted_generator = 0.0
    for n in range(2):
        for c in range(3):
            for i in range(3):
                for j in range(2):
                    at = (n, c, i, j)
                    wanted += (0.1 * abs(label[n, 0, i, j] - real[at]) + abs(fake[at])).item() / 2
                    wanted_generator += abs(label[n, 0, i, j] - fake[at]).item() / 2
    discriminator, generator = sides("region_wise_released")
    assert discriminator(real, fake, label, real_weight=0.1).item() == pytest.approx(wanted)
    assert generator(fake, label).item() == pytest.approx(wanted_generator)


@pytest.mark.parametrize("name", [*NAMES, "region_wise_released"])
def test_half_precision(name):
    discriminator, generator = sides(name)
    real, fake = (scores((2, 1, 30, 30), seed, torch.bfloat16) for seed in (1, 2))
    weight = torch.ones(2, 1, 30, 30, dtype=torch.bfloat16)
    for loss, arguments in ((discriminator, (real, fake)), (generator, (fake,))):
        value = loss(*arguments, weight)
        assert value.dtype == torch.float32
        wanted = loss(*(a.double() for a in arguments), weight.double())
        assert value.item() == pytest.approx(wanted.item(), rel=2e-2, abs=1e-2)


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
        ours = games.soft_mask(mask, mask)[0, 0].numpy()
        theirs = gaussian_filter(mask[0, 0].numpy(), 10, mode="nearest", radius=35)
        assert abs(ours - theirs).max() < 1e-5

    @pytest.mark.parametrize("value", [0.0, 1.0])
    def test_a_mask_of_one_value_stays_so(self, value):
        soft = games.soft_mask(torch.full((2, 1, 40, 33), value), torch.zeros(2, 1, 5, 4))
        torch.testing.assert_close(soft, torch.full((2, 1, 5, 4), value))

    def test_by_hand(self):
        mask = torch.zeros(2, 1, 64, 64)
        mask[0, :, 16:48, 16:48] = 1
        real, fake = scores((2, 1, 8, 8), 1), scores((2, 1, 8, 8), 2)
        soft, hole = games.soft_mask(mask, fake), mask[..., ::8, ::8]
        squares = (real - 1) ** 2 + (fake + soft - 1) ** 2
        assert games.soft_mask_discriminator(real, fake, mask) == pytest.approx(squares.mean())
        aim = ((fake - 1) ** 2 * hole).mean()
        assert games.soft_mask_generator(fake, mask) == pytest.approx(aim)
        assert games.soft_mask_generator(fake, 0 * mask) == 0
