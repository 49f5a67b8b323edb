"""The membrane start."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from regionwise.classical.membrane import membrane_fill as membrane_in_numpy
from regionwise.layers.membrane import membrane_fill


@settings(max_examples=30, deadline=None)
@given(height=st.integers(1, 40), width=st.integers(1, 40), seed=st.integers(0, 99))
def test_known_pixels_stay_and_the_rest_lies_between_them(height, width, seed):
    torch.manual_seed(seed)
    image = torch.rand(2, 3, height, width)
    mask = (torch.rand(2, 1, height, width) < 0.5).float()
    mask[:, :, 0, 0] = 0
    filled = membrane_fill(image, mask)
    known = (mask == 0).expand_as(image)
    assert torch.equal(filled[known], image[known])
    for picture, own, inside in zip(filled, image, known, strict=True):
        for channel in range(3):
            values = own[channel][inside[channel]]
            assert picture[channel].min() >= values.min() - 1e-5
            assert picture[channel].max() <= values.max() + 1e-5


def test_a_slope_is_continued():
    slope = torch.linspace(0, 1, 64).expand(1, 3, 64, 64)
    mask = torch.zeros(1, 1, 64, 64)
    mask[..., 16:48, 16:48] = 1
    error = (membrane_fill(slope, mask) - slope).abs().max()
    assert error < 0.06


def test_what_the_hole_holds_does_not_matter():
    image, mask = torch.rand(1, 3, 20, 30), (torch.rand(1, 1, 20, 30) < 0.4).float()
    poisoned = torch.where(mask > 0, torch.full_like(image, float("nan")), image)
    assert torch.equal(membrane_fill(image, mask), membrane_fill(poisoned, mask))


def test_nothing_known_gives_mid_grey():
    assert (membrane_fill(torch.rand(1, 3, 9, 5), torch.ones(1, 1, 9, 5)) == 0.5).all()


@pytest.mark.parametrize("levels", [6, 7, 12])
def test_levels_above_the_last_useful_one_change_nothing(levels):
    image, mask = torch.rand(1, 3, 50, 64), (torch.rand(1, 1, 50, 64) < 0.4).float()
    torch.testing.assert_close(membrane_fill(image, mask, levels), membrane_fill(image, mask, 9))


@pytest.mark.parametrize("size", [(1, 1), (33, 50), (64, 64), (7, 100)])
def test_equals_its_twin_in_numpy(size):
    image, mask = torch.rand(2, 3, *size), (torch.rand(2, 1, *size) < 0.6).float()
    twin = torch.from_numpy(membrane_in_numpy(image.numpy(), mask.numpy()))
    torch.testing.assert_close(membrane_fill(image, mask), twin, atol=1e-5, rtol=0)
