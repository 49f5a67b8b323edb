"""The Region-wise generator: options, any size, gradients; and its discriminator."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from regionwise import compose
from regionwise.checkpoints.export import export_onnx, largest_difference
from regionwise.errors import ModelError
from regionwise.models.registry import create_model


def slim(**options):
    return create_model("region-wise", **({"width": 4} | options)).eval()


def holes(batch, height, width, share):
    return (torch.rand(batch, 1, height, width) < share).float()


def parameters(network):
    return sum(p.numel() for p in network.parameters())


def test_the_released_networks_have_the_released_numbers_of_parameters():
    semantic, perceiving = create_model("region-wise").networks
    assert parameters(semantic) == 2_830_083
    assert parameters(perceiving) == 1_875_971


def test_ablations():
    whole = parameters(create_model("region-wise"))
    coarse = create_model("region-wise", stages=1).eval()
    assert parameters(coarse) == 2_830_083
    with torch.no_grad():
        assert len(coarse(torch.rand(1, 3, 68, 68), torch.ones(1, 1, 68, 68)).stages) == 1
    # Equation (1) has a bias for each region, in three layers of 128 channels.
    assert parameters(create_model("region-wise", reading="window")) == whole + 3 * 128
    # One filter for both regions: the hole's three, 3×3×128×128 each, are gone.
    assert parameters(create_model("region-wise", convolution="standard")) == whole - 27 * 128**2


@settings(max_examples=20, deadline=None)
@given(
    height=st.integers(1, 90),
    width=st.integers(1, 90),
    batch=st.integers(1, 3),
    share=st.sampled_from([0.0, 0.02, 0.3, 1.0]),
    start=st.sampled_from(["grey", "membrane"]),
    reading=st.sampled_from(["released", "window"]),
    convolution=st.sampled_from(["region-wise", "standard"]),
)
def test_any_size_and_mask(height, width, batch, share, start, reading, convolution):
    network = slim(start=start, reading=reading, convolution=convolution)
    image, mask = torch.rand(batch, 3, height, width), holes(batch, height, width, share)
    with torch.no_grad():
        prediction = network(image, mask)
    assert len(prediction.stages) == 2
    for stage in prediction.stages:
        assert stage.shape == image.shape
        assert 0 <= stage.min() <= stage.max() <= 1
    known = (mask == 0).expand_as(image)
    assert torch.equal(compose(image, mask, prediction)[known], image[known])


@pytest.mark.parametrize("start", ["grey", "membrane"])
def test_the_hole_is_not_looked_into(start):
    network = slim(start=start)
    image, mask = torch.rand(1, 3, 70, 81), holes(1, 70, 81, 0.4)
    other = torch.where(mask > 0, torch.full_like(image, float("nan")), image)
    with torch.no_grad():
        for one, two in zip(network(image, mask).stages, network(other, mask).stages, strict=True):
            assert torch.equal(one, two)


@pytest.mark.parametrize("reading", ["released", "window"])
def test_a_picture_does_not_depend_on_its_batch(reading):
    network = slim(reading=reading)
    image, mask = torch.rand(3, 3, 72, 68), torch.zeros(3, 1, 72, 68)
    mask[0], mask[1, :, 30:40, 20:33], mask[2, :, :9, :9] = 1, 1, 1
    with torch.no_grad():
        torch.testing.assert_close(
            network(image, mask).answer[1:2], network(image[1:2], mask[1:2]).answer
        )


def test_stage_two_sees_the_first_ones_hole_and_the_photos_known_pixels():
    network = slim()
    seen = []
    network.networks[1].register_forward_pre_hook(lambda _, arguments: seen.append(arguments[0]))
    image, mask = torch.rand(1, 3, 72, 80), holes(1, 72, 80, 0.3)
    with torch.no_grad():
        coarse = network(image, mask).stages[0]
    wanted = torch.cat([compose(image, mask, coarse) * 2 - 1, 1 - mask], dim=1)
    torch.testing.assert_close(seen[0], wanted)


def test_at_first_the_membrane_is_hardly_corrected():
    from regionwise.layers.membrane import membrane_fill

    network = slim(start="membrane", width=32).train()
    image, mask = torch.rand(1, 3, 72, 72), holes(1, 72, 72, 0.3)
    with torch.no_grad():
        answer = network(image, mask).stages[0]
    assert 0 < (answer - membrane_fill(image, mask)).std() < 0.3 * image.std()


@pytest.mark.parametrize("start", ["grey", "membrane"])
@pytest.mark.parametrize("reading", ["released", "window"])
def test_gradients_reach_every_weight(start, reading):
    network = slim(start=start, reading=reading).train()
    image, mask = torch.rand(2, 3, 68, 68), holes(2, 68, 68, 0.4)
    stages = network(image, mask).stages
    (stages[0].square().mean() + stages[1].square().mean()).backward()
    idle = [name for name, p in network.named_parameters() if p.grad is None or not p.grad.any()]
    assert idle == []


def test_bfloat16_and_float16_stay_finite():
    network = slim(start="membrane")
    image, mask = torch.rand(1, 3, 70, 70), holes(1, 70, 70, 0.4)
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        assert network(image, mask).answer.isfinite().all()
    network = network.half()
    with torch.no_grad():
        assert network(image.half(), mask.half()).answer.isfinite().all()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"stages": 3}, r"stages=3 is not one of 1, 2"),
        ({"reading": "both"}, r"reading='both' is not one of released, window"),
        ({"convolution": "partial"}, r"convolution='partial'"),
        ({"start": "white"}, r"start='white' is not one of grey, membrane"),
        ({"width": 5}, r"width=5: it is an even number"),
    ],
)
def test_options_that_are_wrong(options, message):
    with pytest.raises(ModelError, match=message) as caught:
        create_model("region-wise", **options)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "options",
    [
        {"stages": 1},
        pytest.param({}, marks=pytest.mark.slow),
        pytest.param({"reading": "window", "start": "membrane"}, marks=pytest.mark.slow),
    ],
)
def test_onnx_gives_the_same_picture(tmp_path, options):
    network = slim(**options)
    file = tmp_path / "region-wise.onnx"
    # In single precision: so slim a network's sums of taps are folded, then rounded once more.
    export_onnx(network, file, half=False)
    sizes = [(72, 88), (1, 1), (7, 130), (161, 96), (200, 69)]
    assert largest_difference(network, file, sizes) < 1e-5
