"""Padding to a multiple, and back."""

import numpy as np
import pytest
import torch

from regionwise.layers.padding import crop, pad_to_multiple

NUMPY = {"replicate": "edge", "symmetric": "symmetric", "constant": "constant"}


@pytest.mark.parametrize("mode", NUMPY)
@pytest.mark.parametrize(
    ("height", "width", "multiple", "least"),
    [(1, 1, 8, 1), (1, 5, 8, 2), (8, 16, 8, 1), (9, 7, 8, 1), (3, 2, 4, 5), (17, 30, 16, 1)],
)
def test_as_numpy_pads(mode, height, width, multiple, least):
    x = torch.rand(2, 3, height, width)
    padded = pad_to_multiple(x, multiple, least=least, mode=mode)
    sides = [max(-(-side // multiple), least) * multiple for side in (height, width)]
    assert padded.shape == (2, 3, *sides)
    after = [(0, 0), (0, 0), (0, sides[0] - height), (0, sides[1] - width)]
    assert np.array_equal(padded.numpy(), np.pad(x.numpy(), after, mode=NUMPY[mode]))
    assert torch.equal(crop(padded, height, width), x)


def test_a_value():
    padded = pad_to_multiple(torch.zeros(1, 1, 3, 3), 4, mode="constant", value=1.0)
    assert padded.sum() == 7
