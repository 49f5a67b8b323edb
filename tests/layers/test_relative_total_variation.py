"""Structure without texture: what it minimises, what it keeps, what it removes."""

import numpy as np
import pytest
import torch

from regionwise.layers.relative_total_variation import (
    _differences,
    relative_total_variation,
    smooth_structure,
)


def test_the_matrix_is_that_of_its_sum_of_squares():
    rng = np.random.default_rng(0)
    weights, values = rng.random(12), rng.random(12)
    wanted = sum(weights[i] * (values[i] - values[i + 4]) ** 2 for i in range(8))
    assert values @ (_differences(weights, 4) @ values) == pytest.approx(wanted)


def test_texture_goes_and_an_edge_stays():
    picture = np.full((40, 40, 3), 0.2)
    picture[:, 20:] = 0.8
    texture = 0.08 * ((np.indices((40, 40)).sum(axis=0) % 2) * 2 - 1)[..., None]
    smooth = relative_total_variation(picture + texture, 0.01, 3.0, 4)
    left = smooth[5:35, 3:15]
    assert left.std() < 0.1 * 0.08
    assert smooth[20, 25, 0] - smooth[20, 14, 0] > 0.5


@pytest.mark.parametrize("size", [(1, 1), (1, 7), (9, 1), (5, 6)])
def test_any_size(size):
    image = torch.rand(2, 3, *size)
    mask = torch.zeros(2, 1, *size)
    mask[:, :, 0, 0] = 1
    image[:, :, 0, 0] = torch.nan
    smooth = smooth_structure(image, mask)
    assert smooth.shape == image.shape
    assert smooth.isfinite().all()
    assert 0 <= smooth.min() <= smooth.max() <= 1
