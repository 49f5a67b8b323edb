"""What every network must keep, whatever its folder: the contract of docs/architecture.md."""

import numpy as np
import pytest
import torch

from regionwise import compose, fill
from regionwise.checkpoints import Checkpoint, save_checkpoint
from regionwise.checkpoints.export import export_onnx, largest_difference, rounded_to_half
from regionwise.errors import ModelError
from regionwise.models.registry import create_model, model_names, network_card, network_class

NAMES = model_names()
EXPORTABLE = [name for name in NAMES if network_class(name).exportable]
GAIN = 1.5
"""Of the weights: so large that the answer depends on the picture."""


def slim(name, **options):
    torch.manual_seed(0)
    network = create_model(name, **(network_card(name).slim | options)).eval()
    with torch.no_grad():  # fresh weights are small: the answer should tell inputs apart
        for weight in network.parameters():
            if weight.dim() > 1:
                torch.nn.init.xavier_normal_(weight, GAIN)
    return network


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

    def test_the_hole_is_not_looked_into(self, name):
        image, mask = sample(32, 40)
        other = torch.where(mask > 0, torch.full_like(image, torch.nan), image)
        network = slim(name)
        with torch.no_grad():
            torch.manual_seed(1)
            one = network(image, mask).answer
            torch.manual_seed(1)
            assert torch.equal(one, network(other, mask).answer)

    def test_the_known_region_is_looked_at(self, name):
        image, mask = sample(32, 40)
        network = slim(name)
        with torch.no_grad():
            torch.manual_seed(1)
            one = network(image, mask).answer
            torch.manual_seed(1)
            other = network(1 - image, mask).answer
        assert (one - other).abs().max() > 1e-3

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
