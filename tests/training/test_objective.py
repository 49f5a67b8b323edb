"""The terms of a recipe, taken by hand and in parts."""

import contextlib

import pytest
import torch
import torch.nn.functional as F
import yaml

from regionwise.discriminators.patch import PatchDiscriminator
from regionwise.errors import RecipeError
from regionwise.layers.canny import gray
from regionwise.losses.adversarial.hinge import HingeLoss
from regionwise.losses.structural_similarity import structural_similarity
from regionwise.models.prediction import Prediction
from regionwise.recipe import check_recipe
from regionwise.training.objective import Objective
from regionwise.training.view import View

RECIPE = """
model: {name: rn}
batch: 4
data: {size: 64, guide: edges}
holes: {mixture: {irregular: 1}}
optimizer: {lr: 1}
discriminator: {name: patch, optimizer: {lr: 1}}
phases:
  - {name: only, length: 1}
"""
POOLS = "features: {network: vgg16, layers: {pool1: 1, pool2: 0.5}}"


class Pools:
    """A feature network that any hand can compute."""

    def __call__(self, section, picture, autocast):
        return {"pool1": F.avg_pool2d(picture, 2), "pool2": F.avg_pool2d(picture, 4).square()}


@pytest.fixture
def view():
    random = torch.Generator().manual_seed(0)
    image, *stages = (torch.rand(5, 3, 32, 32, generator=random) for _ in range(4))
    mask = torch.zeros(5, 1, 32, 32)
    for number in range(5):  # holes of different sizes
        mask[number, :, 4 : 8 + 3 * number, 6:20] = 1
    low = torch.rand(5, 3, 8, 8, generator=random)
    edges, guide = torch.rand(2, 5, 1, 32, 32, generator=random)
    return View(
        image, mask, Prediction(stages, low, guide), float(mask.mean()), (edges > 0.5).float()
    )


def objective(*terms):
    content = yaml.safe_load(RECIPE)
    content["phases"][0]["losses"] = [yaml.safe_load(f"{{{term}}}") for term in terms]
    recipe = check_recipe(content, "test")
    loss = HingeLoss(patches="hole")
    return Objective(recipe.phases[0].terms, Pools(), loss, contextlib.nullcontext)


def value(view, term, network=None):
    (found,) = objective(term)(view, network).values()
    return float(found)


def composed(view, stage):
    return torch.where(view.mask > 0.5, view.prediction.stages[stage], view.image)


def test_pixels_of_stages_and_regions(view):
    stages, image, mask = view.prediction.stages, view.image, view.mask
    absolute = [(stage - image).abs() for stage in stages]
    holes = mask.sum() * 3
    expected = {
        "name: l1": absolute[2].mean(),
        "name: l1, stage: 0": absolute[0].mean(),
        "name: l1, stage: all": sum(a.mean() for a in absolute),
        "name: l1, stage: [0, -1]": absolute[0].mean() + absolute[2].mean(),
        "name: l1, region: hole": (absolute[2] * mask).mean(),
        "name: l1, region: hole, over: region": (absolute[2] * mask).sum() / holes,
        "name: l1, region: known, over: region": (absolute[2] * (1 - mask)).sum()
        / ((1 - mask).sum() * 3),
        "name: l1, over: hole": absolute[2].sum() / holes,
        "name: l1, over: sum": absolute[2].sum() / 5,
        "name: l1, picture: composed": (absolute[2] * mask).mean(),
        "name: l2, picture: both": (stages[2] - image).square().mean()
        + ((stages[2] - image) * mask).square().mean(),
    }
    for term, by_hand in expected.items():
        assert value(view, term) == pytest.approx(float(by_hand), rel=1e-5), term


def test_structural_similarity_is_of_the_composed_picture(view):
    composed = torch.where(view.mask > 0.5, view.prediction.stages[-1], view.image)
    by_hand = structural_similarity(composed, view.image)
    assert value(view, "name: structural_similarity") == pytest.approx(float(by_hand), rel=1e-5)


def test_the_low_resolution_picture(view):
    truth = F.interpolate(view.image, (8, 8), mode="bilinear", align_corners=True)
    mask = view.mask[..., ::4, ::4]
    distance = (view.prediction.low_resolution - truth).abs()
    term = "name: l1, stage: low_resolution, region: hole"
    assert value(view, term) == pytest.approx(float((distance * mask).mean()), rel=1e-5)


def test_the_guide_beside_the_datas(view):
    distance = (view.prediction.guide - view.guide).abs()
    assert value(view, "name: l1, stage: guide") == pytest.approx(float(distance.mean()))
    term = "name: l1, stage: guide, picture: composed"
    assert value(view, term) == pytest.approx(float((distance * view.mask).mean()))


def test_features_in_black_surroundings(view):
    """Beside the whole picture's, whose truth is another one."""
    one, other = (Pools()(None, x * view.mask, None) for x in (view.prediction.answer, view.image))
    by_hand = F.l1_loss(one["pool1"], other["pool1"]) + 0.5 * F.l1_loss(
        one["pool2"], other["pool2"]
    )
    terms = objective(
        f"name: perceptual, picture: raw, {POOLS}", f"name: perceptual, picture: hole, {POOLS}"
    )
    assert list(terms(view, None).values())[1] == pytest.approx(float(by_hand))


def test_a_discriminator_of_guides_sees_the_grey_photo(view):
    """Feature matching as EdgeConnect has it: the sum over all maps, the scores too."""
    terms = objective(
        "name: feature_matching, stage: guide, picture: raw, layers: sum, scores: true"
    )
    network = PatchDiscriminator(channels=1, width=4, beside="gray").eval().requires_grad_(False)
    (found,) = terms(view, network).values()
    bare = PatchDiscriminator(channels=2, width=4).eval().requires_grad_(False)
    bare.load_state_dict(network.state_dict())
    one, other = (
        bare(torch.cat([guide, gray(view.image)], dim=1), view.image, view.mask)[0]
        for guide in (view.prediction.guide, view.guide)
    )
    pairs = [*zip(one.features, other.features, strict=True), (one.scores, other.scores)]
    assert float(found) == pytest.approx(sum(float(F.l1_loss(a, b)) for a, b in pairs), rel=1e-5)


def test_features_of_raw_and_composed_pictures(view):
    def distance(picture):
        one, other = (Pools()(None, x, None) for x in (picture, view.image))
        return F.l1_loss(one["pool1"], other["pool1"]) + 0.5 * F.l1_loss(
            one["pool2"], other["pool2"]
        )

    raw, both = view.prediction.stages[1], composed(view, 1)
    assert value(view, f"name: perceptual, stage: 1, {POOLS}") == pytest.approx(
        float(distance(both))
    )
    assert value(view, f"name: perceptual, stage: 1, picture: both, {POOLS}") == pytest.approx(
        float(distance(raw) + distance(both))
    )


def test_style_by_hand(view):
    def gram(x):
        flat = x.flatten(2)
        return torch.einsum("ncp,ndp->ncd", flat, flat) / flat[0].numel()

    one, other = (Pools()(None, x, None) for x in (composed(view, 2), view.image))
    differences = [gram(one[name]) - gram(other[name]) for name in ("pool1", "pool2")]
    weighed = list(zip((1.0, 0.5), differences, strict=True))
    expected = {
        "mean_absolute": sum(w * d.abs().mean() for w, d in weighed),
        "mean_squared": sum(w * d.square().mean() for w, d in weighed),
        "sum_absolute": sum(w * d.abs().sum() / 5 for w, d in weighed),
    }
    for distance, by_hand in expected.items():
        found = value(view, f"name: style, distance: {distance}, {POOLS}")
        assert found == pytest.approx(float(by_hand), rel=1e-4)


def test_stages_by_what_they_are(view):
    """All but the first, or the only one, are "refined"; a low resolution may be missing."""
    both = value(view, "name: l1, stage: [1, 2]")
    assert value(view, "name: l1, stage: refined") == pytest.approx(both)
    low = value(view, "name: l1, stage: low_resolution")
    term = "name: l1, stage: [all, low_resolution_if_any]"
    assert value(view, term) == pytest.approx(value(view, "name: l1, stage: all") + low)
    view.prediction.low_resolution = None
    assert value(view, term) == pytest.approx(value(view, "name: l1, stage: all"))
    assert value(view, "name: l1, stage: low_resolution_if_any") == 0
    view.prediction.stages[1:] = []
    alone = value(view, "name: l1, stage: 0")
    assert value(view, "name: l1, stage: refined") == pytest.approx(alone)


def test_a_term_of_weight_0_is_left_out(view):
    """Whatever stage it names: an ablation is `weight=0`."""
    terms = objective("name: l1", "name: l2, stage: 7, weight: 0", "name: adversarial, weight: 0")
    assert list(terms(view, None)) == ["l1"]
    assert terms.fakes(view) == []


TERMS = [
    "name: l1, region: hole, over: region",
    "name: l1, region: known, over: region",
    "name: l1, stage: all, over: sum",
    "name: l2, picture: both, over: hole",
    "name: l1, stage: low_resolution",
    "name: l1, region: hole, over: region, discount: 0.9",
    f"name: perceptual, picture: both, {POOLS}",
    f"name: style, {POOLS}",
    "name: adversarial, stage: [0, 2]",
    "name: feature_matching",
]


@pytest.mark.parametrize("term", TERMS)
def test_the_mean_of_parts_is_the_batch(view, term):
    """In value and gradient, whatever is cut where: what several processes rely on."""
    network = PatchDiscriminator(width=4).eval()
    terms = objective(term)
    gradients, totals = [], []
    for cuts in ([5], [3, 2], [1, 3, 1]):
        stages = [stage.clone().requires_grad_() for stage in view.prediction.stages]
        low = view.prediction.low_resolution.clone().requires_grad_()
        total, start = 0.0, 0
        for cut in cuts:
            part = slice(start, start + cut)
            prediction = Prediction([s[part] for s in stages], low[part])
            one = View(view.image[part], view.mask[part], prediction, view.hole_share)
            total = total + terms.total(terms(one, network)) * cut / 5
            start += cut
        total.backward()
        totals.append(total.item())
        gradients.append(torch.stack([s.grad if s.grad is not None else 0 * s for s in stages]))
    assert totals == pytest.approx([totals[0]] * 3, rel=1e-5)
    for other in gradients[1:]:
        torch.testing.assert_close(other, gradients[0], rtol=1e-4, atol=1e-8)


def test_known_pixels_of_composed_pictures_get_no_gradient(view):
    view.prediction.stages[2].requires_grad_()
    terms = objective(f"name: style, {POOLS}", "name: adversarial")
    terms.total(terms(view, PatchDiscriminator(width=4))).backward()
    gradient = view.prediction.stages[2].grad
    assert (gradient * (1 - view.mask)).abs().max() == 0
    assert (gradient * view.mask).abs().max() > 0


def test_the_generator_leaves_the_discriminator_alone(view):
    network = PatchDiscriminator(width=4)
    view.prediction.stages[2].requires_grad_()
    terms = objective("name: adversarial", "name: feature_matching")
    terms.total(terms(view, network)).backward()
    assert all(p.grad is None and p.requires_grad for p in network.parameters())


def test_each_fake_is_judged_once(view):
    terms = objective("name: adversarial, stage: all", "name: feature_matching, stage: 2")
    keys = [fake.key for fake in terms.fakes(view)]
    assert keys == [(0, "composed"), (1, "composed"), (2, "composed")]


def test_terms_have_names_of_their_own(view):
    values = objective("name: l1", "name: l1, weight: 2", "name: l1, region: hole, stage: 0")(
        view, None
    )
    assert list(values) == ["l1-0", "l1-1", "l1_hole_stage_0"]


def test_stages_that_are_not_there(view):
    with pytest.raises(RecipeError, match="names stage 7; the network has 3 stages"):
        value(view, "name: l1, stage: 7")
    view.prediction.low_resolution = None
    with pytest.raises(RecipeError, match="names low_resolution, of which the network"):
        value(view, "name: l1, stage: low_resolution")
    view.guide = None
    with pytest.raises(RecipeError, match="names the guide, of which the network predicts nothing"):
        value(view, "name: l1, stage: guide")
