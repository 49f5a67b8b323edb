"""The DeepGIN generators: Table 1, any size, the membrane start."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import regionwise
from regionwise import compose
from regionwise.checkpoints.export import export_onnx, largest_difference, rounded_to_half
from regionwise.errors import ModelError
from regionwise.layers.membrane import known_deviation, membrane_fill
from regionwise.layers.self_attention import SelfAttention
from regionwise.models.deepgin.card import TABLE_1
from regionwise.models.registry import create_model


def slim(**options):
    """A narrow network whose every weight matters: attention too, which starts idle."""
    network = create_model("deepgin", **({"width": 2, "blocks": 2} | options)).eval()
    for module in network.modules():
        if isinstance(module, SelfAttention):
            torch.nn.init.xavier_normal_(module.output.weight)
    return network


def random_inputs(batch, height, width, share=0.4):
    image = torch.rand(batch, 3, height, width)
    return image, (torch.rand(batch, 1, height, width) < share).float()


@pytest.mark.parametrize(
    ("row", "parameters"),
    [
        ("StdResBlk (Coarse only)", 8_167_843),
        ("StdResBlk", 40_849_990),
        ("StdResBlk-SA", 41_375_558),
        ("StdResBlk-MSSA", 42_892_134),
        ("DilatedResBlk-MSSA", 42_892_134),
        ("SPDResBlk-MSSA", 42_892_134),
        ("SPDResBlk-MSSA-BP", 42_930_186),
    ],
)
def test_table_1(row, parameters):
    """The paper's counts: 8.168M, 40.850M, 41.376M, 42.892M three times, 42.930M."""
    with torch.device("meta"):
        network = create_model("deepgin", **TABLE_1[row])
    assert sum(p.numel() for p in network.parameters()) == parameters
    image, mask = random_inputs(1, 32, 48)
    with torch.no_grad():
        prediction = slim(**TABLE_1[row])(image, mask)
    assert len(prediction.stages) == (1 if "Coarse" in row else 2)
    assert (prediction.low_resolution is not None) == row.endswith("BP")


def test_the_last_row_is_the_default():
    assert list(TABLE_1)[-1] == "SPDResBlk-MSSA-BP"
    assert TABLE_1["SPDResBlk-MSSA-BP"] == {}


@pytest.mark.parametrize("compiling", [False, True])
def test_the_head_is_a_plain_convolution_with_replicated_borders(monkeypatch, compiling):
    monkeypatch.setattr(torch.compiler, "is_compiling", lambda: compiling)
    torch.manual_seed(0)
    head = slim().double().coarse.last
    torch.nn.init.normal_(head.bias)
    x = torch.randn(2, 2, 16, 18, dtype=torch.float64)
    padded = torch.nn.functional.pad(x, (3, 3, 3, 3), mode="replicate")
    wanted = torch.nn.functional.conv2d(padded, head.weight, head.bias)
    torch.testing.assert_close(head(x), wanted)
    assert torch.autograd.gradcheck(head, x[:1, :, :4, :4].clone().requires_grad_())


@pytest.mark.parametrize(("attention", "places"), [("none", 0), ("single", 1), ("multi", 3)])
def test_where_attention_is(attention, places):
    """At 1/16 of the size; with "multi" at 1/8 and 1/4 as well: 16, 32 and 64 pixels of 256."""
    network = slim(attention=attention)
    seen = []
    for module in network.modules():
        if isinstance(module, SelfAttention):
            module.register_forward_hook(lambda _, inputs, __: seen.append(inputs[0].shape[2:]))
    with torch.no_grad():
        network(*random_inputs(1, 256, 128))
    assert seen == [(16, 8), (32, 16), (64, 32)][:places]


@settings(max_examples=25, deadline=None)
@given(
    height=st.integers(1, 70),
    width=st.integers(1, 70),
    batch=st.integers(1, 3),
    share=st.sampled_from([0.0, 0.3, 1.0]),
    start=st.sampled_from(["white", "membrane"]),
    row=st.sampled_from(sorted(TABLE_1)),
)
def test_any_size_and_mask(height, width, batch, share, start, row):
    network = slim(start=start, **TABLE_1[row])
    image, mask = random_inputs(batch, height, width, share)
    with torch.no_grad():
        prediction = network(image, mask)
    for picture in prediction.stages:
        assert picture.shape == image.shape
        assert 0 <= picture.min() <= picture.max() <= 1
    if prediction.low_resolution is not None:
        assert prediction.low_resolution.shape == (batch, 3, -(-height // 4), -(-width // 4))
    known = (mask == 0).expand_as(image)
    assert torch.equal(compose(image, mask, prediction)[known], image[known])


@pytest.mark.parametrize("start", ["white", "membrane"])
def test_the_hole_is_not_looked_into(start):
    network = slim(start=start)
    image, mask = random_inputs(1, 32, 40)
    for other in (torch.rand_like(image), torch.full_like(image, torch.nan)):
        hidden = torch.where(mask > 0, other, image)
        with torch.no_grad():
            assert torch.equal(network(image, mask).answer, network(hidden, mask).answer)


@pytest.mark.parametrize("start", ["white", "membrane"])
def test_a_picture_does_not_depend_on_its_batch(start):
    network = slim(start=start)
    image, mask = random_inputs(3, 32, 24)
    mask[0], mask[2] = 0, 1
    with torch.no_grad():
        together = network(image, mask)
        for n in range(3):
            alone = network(image[n : n + 1], mask[n : n + 1])
            torch.testing.assert_close(together.answer[n : n + 1], alone.answer)
            torch.testing.assert_close(together.low_resolution[n : n + 1], alone.low_resolution)


def test_the_answer_does_not_depend_on_the_layout_of_the_image():
    network = slim()
    image, mask = random_inputs(2, 48, 32)
    with torch.no_grad():
        other = network(image.contiguous(memory_format=torch.channels_last), mask).answer
        torch.testing.assert_close(network(image, mask).answer, other)


def test_known_pixels_are_put_back_between_the_stages():
    network = slim()
    image, mask = random_inputs(1, 32, 32)
    seen = []
    network.refinement.register_forward_hook(lambda _, inputs, __: seen.append(inputs[0]))
    with torch.no_grad():
        coarse = network.train()(image, mask).stages[0]
    assert torch.equal(seen[0], torch.cat([compose(image, mask, coarse), mask], dim=1))


def test_from_the_membrane_each_stage_predicts_a_correction():
    """A network that answers zero gives the membrane, and its low resolution, back."""
    network = slim(start="membrane")
    for head in (
        network.coarse.last,
        network.refinement.last,
        network.refinement.low_resolution[2],
    ):
        torch.nn.init.zeros_(head.weight)
    image, mask = random_inputs(2, 33, 30)
    with torch.no_grad():
        prediction = network(image, mask)
    membrane = membrane_fill(image, mask)
    for stage in prediction.stages:
        torch.testing.assert_close(stage, membrane)


def test_the_correction_is_in_units_of_the_pictures_contrast():
    network = slim(start="membrane", refinement=False).train()
    image, mask = random_inputs(1, 32, 32)
    with torch.no_grad():
        network.coarse.last.weight.zero_()
        network.coarse.last.bias.fill_(0.5)
        correction = network(image, mask).answer - membrane_fill(image, mask)
    wanted = 0.5 * known_deviation(image, mask)
    torch.testing.assert_close(correction, wanted.expand_as(correction))


@pytest.mark.parametrize("row", TABLE_1)
def test_gradients_reach_every_weight(row):
    torch.manual_seed(0)
    network = slim(width=4, **TABLE_1[row]).train()
    prediction = network(*random_inputs(2, 32, 32))
    pictures = [*prediction.stages, prediction.low_resolution]
    sum(p.square().mean() for p in pictures if p is not None).backward()
    idle = [name for name, p in network.named_parameters() if p.grad is None or not p.grad.any()]
    assert idle == []


def test_gradient_of_the_whole_network():
    torch.manual_seed(0)
    network = slim(width=1, blocks=2).double().train()
    for module in network.modules():
        if isinstance(module, torch.nn.Conv2d):
            torch.nn.init.xavier_normal_(module.weight)
    image, mask = (x.double() for x in random_inputs(1, 16, 16))
    bias = network.coarse.encoder[0].bias.detach().clone().requires_grad_()

    def function(value):
        weights = {"coarse.encoder.0.bias": value}
        prediction = torch.func.functional_call(network, weights, (image, mask))
        return prediction.stages[0], prediction.answer, prediction.low_resolution

    assert torch.autograd.gradcheck(function, (bias,), fast_mode=True)


@pytest.mark.slow
@pytest.mark.parametrize("start", ["white", "membrane"])
def test_compiled_it_has_the_same_gradients(start):
    """Replicated borders, attention and the picture's head each have a form for compilers."""
    torch.manual_seed(0)
    network = slim(start=start, coarse_rates=(1, 3), refinement_rates=(2,), blocks=1).train()
    image, mask = random_inputs(2, 64, 48)

    def answer_and_gradients(function):
        network.zero_grad()
        prediction = function(image, mask)
        sum(stage.square().mean() for stage in prediction.stages).backward()
        return prediction.answer.detach(), [p.grad for p in network.parameters()]

    answer, gradients = answer_and_gradients(network)
    compiled_answer, compiled = answer_and_gradients(torch.compile(network))
    torch.testing.assert_close(compiled_answer, answer)
    for ours, wanted in zip(compiled, gradients, strict=True):
        assert (ours is None) == (wanted is None)
        if wanted is not None:
            scale = wanted.abs().max().clamp(min=1e-6)
            torch.testing.assert_close(ours / scale, wanted / scale, atol=1e-3, rtol=0)


@pytest.mark.parametrize("start", ["white", "membrane"])
def test_bfloat16_and_float16_stay_finite(start):
    network = slim(start=start)
    image, mask = random_inputs(1, 40, 40)
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        assert network(image, mask).answer.isfinite().all()
    network = network.half()
    with torch.no_grad():
        prediction = network(image.half(), mask.half())
    assert prediction.answer.dtype == torch.float16
    assert prediction.answer.isfinite().all()


def test_bad_options():
    with pytest.raises(ModelError, match="deepgin: attention='some' is not one of none, single"):
        create_model("deepgin", attention="some")
    with pytest.raises(ModelError, match="start='black' is not one of white"):
        create_model("deepgin", start="black")
    with pytest.raises(ModelError, match="dilation rates"):
        create_model("deepgin", width=1, coarse_rates=[1] * 9)


@pytest.mark.slow
@pytest.mark.parametrize("start", ["white", "membrane"])
def test_onnx_runtime_gives_the_same_picture_at_every_size_and_batch(start, tmp_path):
    torch.manual_seed(0)
    network = rounded_to_half(slim(start=start, width=4))
    file = tmp_path / "deepgin.onnx"
    export_onnx(network, file)
    sizes = [(64, 64), (1, 1), (7, 130), (161, 96), (256, 16)]
    assert largest_difference(network, file, sizes) < 1e-4
    pixels = np.random.default_rng(0).integers(0, 256, (37, 50, 3), np.uint8)
    filled = regionwise.fill(pixels, box=(5, 5, 20, 9), model=file)
    assert (filled != pixels).any(axis=2).sum() > 90
