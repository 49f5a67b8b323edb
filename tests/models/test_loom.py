"""Loom: any size, what it is at first, known pixels, what it sees, gradients, export."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from regionwise.checkpoints.export import export_onnx, largest_difference
from regionwise.errors import ModelError
from regionwise.layers.membrane import membrane_fill
from regionwise.models.registry import create_model

SLIM = {"widths": (32, 32, 64), "encoder": (1, 1, 1), "decoder": (1, 1)}


def slim(*, seed=0):
    """A slim network all of whose layers do something."""
    torch.manual_seed(seed)
    network = create_model("loom", **SLIM).eval()
    with torch.no_grad():
        for weight in network.parameters():
            if not weight.any():
                weight.normal_(std=0.05)
    return network


def holes(batch, height, width, share):
    return (torch.rand(batch, 1, height, width) < share).float()


@settings(max_examples=20, deadline=None)
@given(
    height=st.integers(1, 90),
    width=st.integers(1, 90),
    batch=st.integers(1, 3),
    share=st.sampled_from([0.0, 0.02, 0.3, 1.0]),
)
def test_any_size_and_mask(height, width, batch, share):
    image, mask = torch.rand(batch, 3, height, width), holes(batch, height, width, share)
    with torch.no_grad():
        (answer,) = slim()(image, mask).stages
    assert answer.shape == image.shape
    assert ((answer >= 0) & (answer <= 1)).all()
    assert torch.equal(answer.where(mask == 0, 0), image.where(mask == 0, 0))


def test_what_is_in_the_hole_does_not_matter():
    image, mask = torch.rand(2, 3, 50, 41), holes(2, 50, 41, 0.4)
    other = torch.where(mask > 0, torch.rand_like(image), image)
    with torch.no_grad():
        network = slim()
        assert torch.equal(network(image, mask).answer, network(other, mask).answer)


def test_pictures_of_a_batch_do_not_meet():
    image, mask = torch.rand(3, 3, 40, 48), holes(3, 40, 48, 0.4)
    network = slim()
    with torch.no_grad():
        together = network(image, mask).answer
        alone = torch.cat([network(image[k : k + 1], mask[k : k + 1]).answer for k in range(3)])
    assert torch.allclose(together, alone, atol=1e-5)


def test_a_fresh_network_is_near_the_membrane():
    torch.manual_seed(1)
    image, mask = torch.rand(2, 3, 64, 64), holes(2, 64, 64, 0.3)
    network = create_model("loom").eval()
    with torch.no_grad():
        change = network(image, mask).answer - membrane_fill(image, mask)
    assert 0 < change.abs().max() < 0.5
    assert change.abs().mean() < 0.05


def test_contrast_and_brightness_are_taken_out_and_given_back():
    # Far from black and white, where nothing is clamped.
    image, mask = 0.4 + 0.2 * torch.rand(2, 3, 48, 56), holes(2, 48, 56, 0.3)
    shift = torch.tensor([0.05, -0.1, 0.0]).view(1, 3, 1, 1)
    network = slim().train()
    with torch.no_grad():
        plain = network(image, mask).answer
        # The deviation is that of all channels together, so all are moved alike but for the mean.
        moved = network(0.7 * image + 0.1, mask).answer
        shifted = network(image + shift.mean(), mask).answer
    assert torch.allclose(moved, 0.7 * plain + 0.1, atol=1e-4)
    assert torch.allclose(shifted, plain + shift.mean(), atol=1e-4)


def test_the_whole_picture_is_seen():
    image, mask = torch.rand(1, 3, 128, 128), torch.zeros(1, 1, 128, 128)
    mask[..., :8, :8] = 1
    other = image.clone()
    other[..., -8:, -8:] = 1 - other[..., -8:, -8:]
    network = slim()
    with torch.no_grad():
        difference = network(image, mask).answer - network(other, mask).answer
    assert difference[..., :8, :8].abs().max() > 0


def test_gradients_reach_all_weights():
    network = slim().train()
    image, mask = torch.rand(2, 3, 64, 64), holes(2, 64, 64, 0.3)
    (network(image, mask).answer - image).square().mean().backward()
    assert all(weight.grad is not None and weight.grad.any() for weight in network.parameters())


def test_export(tmp_path):
    network = slim()
    export_onnx(network, tmp_path / "loom.onnx", half=False)
    sizes = [(64, 64), (61, 90), (150, 37), (1, 5)]
    assert largest_difference(network, tmp_path / "loom.onnx", sizes) < 1e-4


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"widths": (32,), "encoder": (1,), "decoder": ()}, "two levels or more"),
        ({"widths": (32, 40), "encoder": (1, 1), "decoder": (1,)}, "multiple of 32"),
        ({"widths": (32, 64), "encoder": (1,), "decoder": (1,)}, "for 2 levels 2 and 1 numbers"),
        ({"widths": (32, 64), "encoder": (1, 1), "decoder": (-1,)}, "< 0"),
    ],
)
def test_options_that_do_not_fit(options, message):
    with pytest.raises(ModelError, match=message):
        create_model("loom", **options)
