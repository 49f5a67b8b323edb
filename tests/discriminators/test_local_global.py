"""Discriminators with a window around the hole."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from regionwise.discriminators.local_global import LocalGlobalDiscriminator
from regionwise.discriminators.local_global_critics import LocalGlobalCritics
from regionwise.discriminators.window import around_hole
from regionwise.errors import ModelError


def box(height, width, rows, columns):
    mask = torch.zeros(1, 1, height, width)
    mask[..., slice(*rows), slice(*columns)] = 1
    return mask


@settings(max_examples=40, deadline=None)
@given(
    height=st.integers(8, 20),
    width=st.integers(8, 20),
    top=st.integers(0, 7),
    left=st.integers(0, 7),
    rows=st.integers(1, 8),
    columns=st.integers(1, 8),
)
def test_the_window_holds_the_whole_box(height, width, top, left, rows, columns):
    """Any box not larger than the window, wherever it lies, odd or even."""
    mask = box(height, width, (top, top + rows), (left, left + columns))
    window = around_hole(mask, mask, 8)
    assert window.shape == (1, 1, 8, 8)
    assert window.sum() == mask.sum()


def test_each_picture_has_its_own_window():
    image = torch.arange(2 * 3 * 16 * 16.0).reshape(2, 3, 16, 16)
    mask = torch.cat([box(16, 16, (0, 4), (2, 6)), torch.zeros(1, 1, 16, 16)])
    windows = around_hole(image, mask, 8)
    assert torch.equal(windows[0], image[0, :, 0:8, 0:8])
    assert torch.equal(windows[1], image[1, :, 4:12, 4:12])  # nothing missing: the middle


def test_of_a_larger_hole_the_middle():
    image = torch.rand(1, 3, 16, 16)
    window = around_hole(image, box(16, 16, (1, 15), (0, 16)), 4)
    assert torch.equal(window, image[:, :, 6:10, 6:10])


def test_the_papers_sizes():
    """GLCIC's Table 2: 1024 numbers of each part, from 4×4×512 of both."""
    with torch.device("meta"):
        network = LocalGlobalDiscriminator()
    assert network.globally.last.weight.shape == (1024, 4 * 4 * 512)
    assert network.locally.last.weight.shape == (1024, 4 * 4 * 512)


@pytest.mark.parametrize("side", [32, 40])
def test_scores_of_both(side):
    image, mask = torch.rand(2, 3, side, side), box(side, side, (3, 9), (4, 14)).repeat(2, 1, 1, 1)
    ((scores, features),) = LocalGlobalDiscriminator(side, 16, width=2)(image, image, mask)
    assert scores.shape == (2, 1)
    assert len(features) == 11
    judged = LocalGlobalCritics(side, 16, width=2)(image, image, mask)
    assert [tuple(scores.shape) for scores, _ in judged] == [(2, 1), (2, 1)]


def test_the_local_critic_sees_the_window_alone():
    image = torch.rand(1, 3, 32, 32, requires_grad=True)
    mask = box(32, 32, (8, 12), (8, 12))
    globally, locally = LocalGlobalCritics(32, 16, width=2)(image, image, mask)
    (slope,) = torch.autograd.grad(locally.scores.sum(), image, retain_graph=True)
    seen = slope.abs().sum(dim=(0, 1)) > 0
    assert seen[2:18, 2:18].all()
    assert seen.sum() == 16 * 16
    (slope,) = torch.autograd.grad(globally.scores.sum(), image)
    assert (slope.abs().sum(dim=(0, 1)) > 0).all()


@pytest.mark.parametrize("network", [LocalGlobalDiscriminator, LocalGlobalCritics])
def test_pictures_of_another_size_are_refused_with_the_mend(network):
    image, mask = torch.rand(1, 3, 64, 64), torch.zeros(1, 1, 64, 64)
    with pytest.raises(ModelError, match=r"pictures of 32×32.*discriminator\.options\.size"):
        network(32, 16, width=2)(image, image, mask)
    with pytest.raises(ModelError, match="a window of 48 pixels does not fit"):
        network(32, 48, width=2)
