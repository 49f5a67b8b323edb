"""What every network must keep, whatever its folder: the contract of docs/architecture.md."""

from functools import cache
from inspect import signature
from typing import get_type_hints

import numpy as np
import pytest
import torch
from torch import nn

from regionwise import compose, fill
from regionwise.checkpoints import Checkpoint, load_checkpoint, save_checkpoint
from regionwise.checkpoints.export import export_onnx, largest_difference, rounded_to_half
from regionwise.errors import ModelError
from regionwise.models.registry import create_model, model_names, network_card, network_class

NAMES = model_names()
EXPORTABLE = [name for name in NAMES if network_class(name).exportable]
GAINS = (1.0, 1.5, 2.5)


def weighted(name, gain, options):
    torch.manual_seed(0)
    network = create_model(name, **(network_card(name).slim | options)).eval()
    with torch.no_grad():
        for weight in network.parameters():
            if weight.dim() > 1:
                torch.nn.init.xavier_normal_(weight, gain)
    return network


@cache
def gain_of(name):
    """The least gain of the weights with which the answer tells pictures apart, if any does."""
    image, mask = sample(32, 40)
    for gain in GAINS:
        network = weighted(name, gain, {})
        if difference(network, (image, mask), (1 - image, mask)) > 2e-3:
            break
    return gain


def slim(name, **options):
    return weighted(name, gain_of(name), options)


@torch.no_grad()
def difference(network, one, other):
    """The largest between the answers to two questions, with the same seed."""
    answers = []
    for image, mask in (one, other):
        torch.manual_seed(1)
        answers.append(network(image, mask).answer)
    return float((answers[0] - answers[1]).abs().max())


def sample(height, width, batch=1, share=0.3):
    generator = torch.Generator().manual_seed(height + 7 * width)
    image = torch.rand(batch, 3, height, width, generator=generator)
    mask = (torch.rand(batch, 1, height, width, generator=generator) < share).float()
    return image, mask


@pytest.mark.parametrize("name", NAMES)
class TestEach:
    @pytest.mark.parametrize(
        ("height", "width", "batch", "share"),
        [(1, 1, 1, 1.0), (3, 50, 2, 0.3), (64, 33, 1, 0.0), (37, 70, 2, 1.0), (24, 40, 3, 0.5)],
    )
    def test_any_size_and_mask(self, name, height, width, batch, share):
        image, mask = sample(height, width, batch, share)
        with torch.no_grad():
            prediction = slim(name)(image, mask)
        for stage in prediction.stages:
            assert stage.shape == image.shape
            assert 0 <= stage.min() <= stage.max() <= 1
        filled = compose(image, mask, prediction)
        known = (mask == 0).expand_as(image)
        assert torch.equal(filled[known], image[known])

    def test_other_shapes_are_named(self, name):
        image, mask = sample(20, 24, batch=2)
        network = slim(name)
        for wrong in (mask[:1], mask.expand(-1, 3, -1, -1), mask[..., :-1], mask[0]):
            with pytest.raises(ModelError, match=r"the mask has the shape.*needs \(2, 1, 20, 24\)"):
                network(image, wrong)
        for wrong in (image[0], image[:, :1]):
            with pytest.raises(ModelError, match=r"the image has the shape.*give N×3×H×W"):
                network(wrong, mask)

    def test_the_hole_is_not_looked_into(self, name):
        image, mask = sample(32, 40)
        other = torch.where(mask > 0, torch.full_like(image, torch.nan), image)
        assert difference(slim(name), (image, mask), (other, mask)) == 0

    def test_the_known_region_is_looked_at(self, name):
        image, mask = sample(32, 40)
        assert difference(slim(name), (image, mask), (1 - image, mask)) > 1e-3

    def test_seeds_matter_where_it_draws_alone(self, name):
        image, mask = sample(32, 40)
        network = slim(name)
        assert difference(network, (image, mask), (image, mask)) == 0
        with torch.no_grad():
            torch.manual_seed(1)
            one = network(image, mask).answer
            torch.manual_seed(2)
            other = network(image, mask).answer
        assert torch.equal(one, other) != network.draws

    def test_a_picture_does_not_depend_on_its_batch(self, name):
        image, mask = sample(32, 24, batch=3)
        network = slim(name)
        with torch.no_grad():
            torch.manual_seed(1)
            alone = network(image[:1], mask[:1]).answer
            torch.manual_seed(1)
            together = network(image, mask).answer[:1]
        torch.testing.assert_close(together, alone, atol=2e-5, rtol=1e-4)

    def test_every_parameter_learns(self, name):
        image, mask = sample(32, 24, batch=2)
        network = slim(name).train()
        prediction = network(image, mask)
        torch.stack([(s - 0.3).square().mean() for s in prediction.stages]).sum().backward()
        idle = [key for key, p in network.named_parameters() if p.grad is None]
        assert not idle
        assert all(p.grad.isfinite().all() for p in network.parameters())

    def test_its_weights_go_through_a_file(self, name, tmp_path):
        network = slim(name)
        stored = Checkpoint(name, dict(network_card(name).slim), dict(network.state_dict()))
        save_checkpoint(stored, tmp_path / "own.safetensors")
        again = load_checkpoint(tmp_path / "own.safetensors")
        assert again.state_dict().keys() == network.state_dict().keys()
        image, mask = sample(21, 30)
        answers = []
        for built in (network, again):
            torch.manual_seed(1)
            with torch.no_grad():
                answers.append(built(image, mask).answer)
        assert torch.equal(*answers)

    def test_folding_norms_changes_nothing(self, name):
        network = slim(name)
        for norm in network.modules():
            if isinstance(norm, nn.BatchNorm2d):
                nn.init.normal_(norm.running_mean, 0, 0.1)
                nn.init.uniform_(norm.running_var, 0.5, 1.5)
                if norm.affine:
                    nn.init.uniform_(norm.weight, 0.5, 1.5)
                    nn.init.normal_(norm.bias, 0, 0.1)
        image, mask = sample(24, 40)
        keys = network.state_dict().keys()
        answers = []
        for fold in (False, True):
            if fold:
                network.fold_norms()
            torch.manual_seed(1)
            with torch.no_grad():
                answers.append(network(image, mask).answer)
        torch.testing.assert_close(*answers, atol=1e-5, rtol=1e-4)
        assert network.state_dict().keys() == keys

    def test_options_of_a_wrong_type_are_named(self, name):
        constructor = network_class(name).__init__
        options = [option for option in signature(constructor).parameters if option != "self"]
        assert set(options) <= set(get_type_hints(constructor))
        for option in options:
            with pytest.raises(ModelError, match=rf"^{name}: {option}="):
                create_model(name, **(network_card(name).slim | {option: object()}))


DEEPFILL = [
    ("graph", "pytorch"),
    ("graph", "converted"),
    ("coarse_norm", "region"),
    ("channels", "bgr"),
]
VARIANTS = [
    *[("deepfillv1", {option: value}) for option, value in DEEPFILL if value != "converted"],
    *[("deepfillv2", {option: value}) for option, value in DEEPFILL],
    ("edgeconnect", {"edges": "mixed"}),
    ("pconv", {"norm": "region"}),
    ("glcic", {"mean_color": [1, 0, 0]}),
    ("pconv", {"start": "membrane"}),
]


@pytest.mark.parametrize(("name", "options"), VARIANTS)
def test_options(name, options):
    image, mask = sample(37, 50, batch=2)
    plain, other = slim(name), slim(name, **options)
    with torch.no_grad():
        answer = other(image, mask).answer
        assert answer.shape == image.shape
        assert (answer - plain(image, mask).answer).abs().max() > 1e-4


@pytest.mark.parametrize("name", NAMES)
def test_our_file_fills_a_photo(name, tmp_path):
    options = dict(network_card(name).slim)
    weights = dict(slim(name).state_dict())
    save_checkpoint(Checkpoint(name, options, weights), tmp_path / "own.safetensors")
    photo = np.random.default_rng(0).integers(0, 255, (40, 44, 3), np.uint8)
    filled = fill(photo, box=(6, 5, 12, 14), model=tmp_path / "own.safetensors", seed=3)
    outside = np.ones((40, 44), bool)
    outside[5:19, 6:18] = False
    assert np.array_equal(filled[outside], photo[outside])
    assert not np.array_equal(filled[~outside], photo[~outside])


@pytest.mark.slow
@pytest.mark.parametrize("name", EXPORTABLE)
def test_onnx(name, tmp_path):
    # Of a network that draws, the mean: two programs don't draw the same numbers.
    options = {"temperature": 0} if name == "pic" else {}
    network = rounded_to_half(slim(name, **options))
    export_onnx(network, tmp_path / "model.onnx")
    sizes = [(72, 88), (1, 1), (7, 130), (161, 96)]
    assert largest_difference(network, tmp_path / "model.onnx", sizes) < 1e-4


@pytest.mark.parametrize("name", sorted(set(NAMES) - set(EXPORTABLE)))
def test_what_can_not_be_exported_says_so(name, tmp_path):
    with pytest.raises(ModelError, match="can't be written as ONNX"):
        export_onnx(slim(name), tmp_path / "model.onnx")


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("deepfillv1", {"coarse_norm": "region"}),
        ("deepfillv2", {"coarse_norm": "region"}),
        ("pconv", {"norm": "region"}),
    ],
)
def test_region_normalization_inside(name, options):
    """RN-CA, RN-GC, RN-PC: RN-B early, RN-L late, nowhere in the refining network."""
    network = slim(name, **options)
    whole = network if name == "pconv" else network.coarse
    norms = {"early": whole.encoder, "late": [getattr(whole, "middle", None), whole.decoder]}
    early = [type(m).__name__ for m in norms["early"].modules() if "RegionNorm" in type(m).__name__]
    late = [
        type(m).__name__
        for part in norms["late"]
        if part is not None
        for m in part.modules()
        if "RegionNorm" in type(m).__name__
    ]
    assert set(early) == {"RegionNormBasic"}
    assert set(late) == {"RegionNormLearnable"}
    everywhere = [m for m in network.modules() if "RegionNorm" in type(m).__name__]
    assert len(everywhere) == len(early) + len(late)
    plain = create_model(name, **network_card(name).slim)
    assert not [m for m in plain.modules() if "RegionNorm" in type(m).__name__]
