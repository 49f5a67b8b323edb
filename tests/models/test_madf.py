"""The MADF generator: Table II, any size, what it may and may not look at."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

import regionwise
from regionwise import compose
from regionwise.checkpoints.export import export_onnx, largest_difference
from regionwise.errors import ModelError
from regionwise.layers.gated_conv import GatedConv
from regionwise.layers.mask_aware_filter import MaskAwareFilter
from regionwise.layers.partial_conv import PartialConv
from regionwise.layers.pointwise_norm import PointwiseNorm
from regionwise.models.madf.card import ABLATION
from regionwise.models.registry import create_model


def slim(**options):
    return create_model("madf", **({"width": 8, "levels": 4} | options)).eval()


def inputs(batch=1, height=32, width=32, share=0.4):
    mask = (torch.rand(batch, 1, height, width) < share).float()
    return torch.rand(batch, 3, height, width), mask


@pytest.mark.parametrize(
    ("refinements", "released"), [(0, 40_743_065), (1, 62_942_135), (2, 85_141_214)]
)
def test_parameters(refinements, released):
    """The released count holds batch norms of the encoder that are never called."""
    idle = 2 * (16 + 32 + 64 + 4 * 128)
    with torch.device("meta"):
        network = create_model("madf", refinements=refinements)
    assert sum(p.numel() for p in network.parameters()) == released - idle


@pytest.mark.parametrize("row", ABLATION)
def test_table_2(row):
    encoder, refinements, norm = ABLATION[row]
    network = slim(encoder=encoder, refinements=refinements, norm=norm)
    layers = {"mask_aware": MaskAwareFilter, "partial": PartialConv, "gated": GatedConv}
    assert all(isinstance(level, layers[encoder]) for level in network.encoder.levels)
    assert any(isinstance(m, PointwiseNorm) for m in network.modules()) == row.endswith("PN")
    with torch.no_grad():
        assert len(network(*inputs()).stages) == refinements + 1


@settings(max_examples=25, deadline=None)
@given(
    height=st.integers(1, 50),
    width=st.integers(1, 50),
    batch=st.integers(1, 3),
    share=st.sampled_from([0.0, 0.3, 1.0]),
    row=st.sampled_from(sorted(ABLATION)),
    start=st.sampled_from(["mean", "membrane"]),
)
def test_any_size_and_mask(height, width, batch, share, row, start):
    encoder, refinements, norm = ABLATION[row]
    network = slim(encoder=encoder, refinements=refinements, norm=norm, start=start)
    image, mask = inputs(batch, height, width, share)
    with torch.no_grad():
        prediction = network(image, mask)
    for stage in prediction.stages:
        assert stage.shape == image.shape
        assert 0 <= stage.min() <= stage.max() <= 1
    known = (mask == 0).expand_as(image)
    assert torch.equal(compose(image, mask, prediction)[known], image[known])


@pytest.mark.parametrize("start", ["mean", "membrane"])
@pytest.mark.parametrize("encoder", ["mask_aware", "partial", "gated", "gated_mask_aware"])
def test_the_hole_is_not_looked_into(start, encoder):
    network = slim(start=start, encoder=encoder)
    image, mask = inputs()
    other = image.masked_fill(mask > 0, torch.nan)
    with torch.no_grad():
        for one, two in zip(network(image, mask).stages, network(other, mask).stages, strict=True):
            assert torch.equal(one, two)


@pytest.mark.parametrize("encoder", ["mask_aware", "partial", "gated", "gated_mask_aware"])
def test_the_mask_is_looked_at(encoder):
    """A known pixel of the mean colour is another thing than a missing one."""
    network = slim(encoder=encoder, refinements=0)
    image = network.mean.expand(1, 3, 32, 32)
    with torch.no_grad():
        known = network(image, torch.zeros(1, 1, 32, 32)).answer
        half = network(image, torch.ones(1, 1, 32, 32)).answer
    assert (known - half).abs().max() > 1e-4


def test_a_gate_without_weights_halves_the_filters_answer():
    """The second half of the outputs is the gate's: 0 there, and its sigmoid is a half."""
    plain, gated = slim(refinements=0), slim(refinements=0, encoder="gated_mask_aware")
    ours, theirs = plain.encoder.levels[0], gated.encoder.levels[0]
    assert theirs.weight.shape[0] == 2 * ours.weight.shape[0]
    with torch.no_grad():
        filters = ours.weight.unflatten(0, (17, -1))  # of 16 features and the constant
        both = torch.cat([filters, torch.zeros_like(filters)], dim=1)
        theirs.weight.copy_(both.flatten(0, 1))
        theirs.mask_conv.load_state_dict(ours.mask_conv.state_dict())
        gated.encoder.widen[0].load_state_dict(plain.encoder.widen[0].state_dict())
        image, mask = inputs()
        x = torch.cat([image, *3 * [1 - mask]], dim=1)
        expected = plain.encoder.widen[0](ours(x, 1 - mask)[0].relu() / 2).relu()
        torch.testing.assert_close(gated.encoder(x, mask)[0], expected)


def test_attention_begins_with_no_effect():
    torch.manual_seed(0)
    attended = slim(levels=5, attention=True)
    plain = slim(levels=5)
    weights = attended.state_dict()
    assert len([key for key in weights if key.endswith("embedding.weight")]) == 3
    plain.load_state_dict({k: v for k, v in weights.items() if not k.startswith("attentions")})
    image, mask = inputs()
    with torch.no_grad():
        assert torch.equal(attended(image, mask).answer, plain(image, mask).answer)
        for layer in attended.attentions.values():
            torch.nn.init.normal_(layer.output.weight)
        assert not torch.equal(attended(image, mask).answer, plain(image, mask).answer)


@pytest.mark.parametrize("start", ["mean", "membrane"])
@pytest.mark.parametrize("refinements", [0, 2])
def test_back_projection(start, refinements):
    """Where its weight is 1 the answer at 1/4 of the size is the low resolution itself."""
    network = slim(start=start, refinements=refinements, back_projection=True).train()
    torch.nn.init.zeros_(network.back_projection.weight.weight)
    torch.nn.init.constant_(network.back_projection.weight.bias, 50.0)
    image, mask = inputs(2, 33, 49)
    prediction = network(image, mask)
    low = prediction.low_resolution
    assert low.shape == (2, 3, 9, 13)
    small = F.interpolate(prediction.answer, low.shape[-2:], mode="bilinear", align_corners=True)
    torch.testing.assert_close(small, low, atol=1e-4, rtol=1e-4)
    nan = image.masked_fill(mask > 0, torch.nan)
    torch.testing.assert_close(network.eval()(nan, mask).answer, network(image, mask).answer)
    network.train()(image, mask).answer.square().mean().backward()
    assert network.low_resolution.weight.grad.any()


def test_what_is_padded_is_a_hole():
    network = slim()
    image, mask = inputs(1, 40, 23)
    bigger, missing = torch.rand(1, 3, 48, 32), torch.ones(1, 1, 48, 32)
    bigger[..., :40, :23], missing[..., :40, :23] = image, mask
    with torch.no_grad():
        wanted = network(bigger, missing).answer[..., :40, :23]
        torch.testing.assert_close(network(image, mask).answer, wanted)


def test_a_picture_does_not_depend_on_its_batch():
    network = slim()
    image, mask = inputs(3, 32, 24)
    mask[0], mask[2] = 0, 1
    with torch.no_grad():
        together = network(image, mask).answer
        for n in range(3):
            alone = network(image[n : n + 1], mask[n : n + 1]).answer
            torch.testing.assert_close(together[n : n + 1], alone)


@pytest.mark.parametrize("norm", ["pointwise", "batch"])
def test_folding_changes_nothing_but_removes_every_batch_norm(norm):
    torch.manual_seed(0)
    network = slim(norm=norm).train()
    with torch.no_grad():
        for _ in range(3):  # statistics of its own
            network(*inputs(2))
    copy = network.folded()
    image, mask = inputs()
    with torch.no_grad():
        wanted = network.eval()(image, mask)
        for ours, theirs in zip(copy(image, mask).stages, wanted.stages, strict=True):
            torch.testing.assert_close(ours, theirs, atol=1e-5, rtol=1e-5)
    assert not any(isinstance(m, torch.nn.BatchNorm2d) for m in copy.modules())
    assert any(isinstance(m, torch.nn.BatchNorm2d) for m in network.modules())


def test_a_fresh_network_keeps_the_scale_of_its_features():
    torch.manual_seed(0)
    network = create_model("madf", refinements=1, width=32).train()
    widened = []
    for layer in network.encoder.widen:
        layer.register_forward_hook(lambda *call: widened.append(call[2].std().item()))
    with torch.no_grad():
        network(*inputs(2, 128, 128, 0.3))
    assert len(widened) == 7
    assert 0.05 < min(widened) <= max(widened) < 20


@pytest.mark.parametrize("row", [*ABLATION.values(), ("gated_mask_aware", 1, "pointwise")])
def test_gradients_reach_every_weight(row):
    encoder, refinements, norm = row
    network = slim(encoder=encoder, refinements=refinements, norm=norm, start="membrane").train()
    image, mask = inputs(2)
    sum(stage.square().mean() for stage in network(image, mask).stages).backward()
    idle = [name for name, p in network.named_parameters() if p.grad is None or not p.grad.any()]
    # A bias before batch normalisation has no effect; what is left of its gradient is rounding.
    assert [name for name in idle if not name.endswith("up.bias")] == []


@pytest.mark.parametrize("start", ["mean", "membrane"])
def test_gradient_of_the_whole_network(start):
    torch.manual_seed(0)
    network = slim(width=4, levels=2, refinements=1, start=start).double()
    network.train().apply(  # batch statistics would move while they are measured
        lambda module: module.eval() if isinstance(module, torch.nn.BatchNorm2d) else None
    )
    image, mask = (x.double() for x in inputs(1, 8, 8))
    weights = {
        name: weight.detach().clone().requires_grad_()
        for name, weight in network.named_parameters()
        if name in ("encoder.levels.0.weight", "encoder.levels.0.mask_conv.weight")
    }

    def function(*values):
        named = dict(zip(weights, values, strict=True))
        return tuple(torch.func.functional_call(network, named, (image, mask)).stages)

    assert torch.autograd.gradcheck(function, tuple(weights.values()), fast_mode=True)


def test_the_first_level_adds_up_the_weights_of_what_is_equal():
    """It is the general layer on the picture and three equal channels of validity."""
    torch.manual_seed(0)
    first = slim().double().encoder.levels[0]
    validity = (torch.rand(2, 1, 9, 12, dtype=torch.float64) > 0.4).double()
    x = torch.cat([torch.randn(2, 3, 9, 12, dtype=torch.float64), *3 * [validity]], dim=1)
    wanted = MaskAwareFilter.forward(first, x, validity.expand(-1, 3, -1, -1))
    for ours, theirs in zip(first(x, validity), wanted, strict=True):
        torch.testing.assert_close(ours, theirs)


@pytest.mark.parametrize("start", ["mean", "membrane"])
def test_bfloat16_and_float16_stay_finite(start):
    network = slim(start=start)
    image, mask = inputs(1, 160, 160)
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        assert network(image, mask).answer.isfinite().all()
    with torch.no_grad():
        assert network.half()(image.half(), mask.half()).answer.isfinite().all()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"width": "wide"}, "madf: width='wide': input should be a valid integer"),
        ({"refinements": 4}, "refinements=4 is not one of 0, 1, 2, 3"),
        ({"encoder": "plain"}, "encoder='plain' is not one of mask_aware, partial, gated"),
        ({"norm": "instance"}, "norm='instance'"),
        ({"start": "white"}, "start='white' is not one of mean, membrane"),
        ({"levels": 1}, "levels=1"),
        ({"width": 30}, "width=30 is not a positive multiple of 4"),
    ],
)
def test_wrong_options(options, message):
    with pytest.raises(ModelError, match=message):
        create_model("madf", **options)


@pytest.mark.slow
@pytest.mark.parametrize(("start", "levels"), [("mean", 7), ("membrane", 3)])
def test_onnx_at_every_size_and_batch(tmp_path, start, levels):
    torch.manual_seed(0)
    network = slim(start=start, levels=levels)
    for layer in (network.recovery_last, *(decoder.last for decoder in network.refinements)):
        layer.weight.data.mul_(10)
    export_onnx(network, tmp_path / "madf.onnx", half=False)
    sizes = [(128, 128), (1, 1), (7, 130), (161, 96)]
    assert largest_difference(network, tmp_path / "madf.onnx", sizes) < 1e-4
    pixels = np.random.default_rng(0).integers(0, 256, (37, 50, 3), np.uint8)
    filled = regionwise.fill(pixels, box=(5, 5, 20, 9), model=tmp_path / "madf.onnx")
    assert (filled != pixels).any(axis=2).sum() > 90
