"""Nearest-neighbour resizing as other programs round."""

import numpy as np
import pytest
import torch

from regionwise.layers.nearest import doubled, halved


def shown(rule, inputs, times=1):
    """Which pixels of a row are shown."""
    row = torch.arange(inputs, dtype=torch.float32).expand(1, 1, 16, inputs)
    down = halved(row, times, rule)
    assert down.shape == (1, 1, 16 // 2**times, inputs // 2**times)
    return down[0, 0, 0].long().tolist()


@pytest.mark.parametrize("times", [1, 2, 3])
def test_aligned_is_tensorflows(times):
    for half in range(2, 120):
        inputs = half * 2**times
        scale = np.float32(inputs - 1) / np.float32(half - 1)
        exact = [float(np.float32(i) * scale) for i in range(half)]
        assert shown("aligned", inputs, times) == [int(np.floor(x + 0.5)) for x in exact]


@pytest.mark.parametrize("half", [2, 9, 15, 27, 28, 29, 47, 59, 89, 91, 150])
def test_linspace_is_pytorchs(half):
    numbers = torch.linspace(0, 2 * half - 1, half)
    assert shown("linspace", 2 * half) == (numbers + 0.5).floor().long().tolist()
    assert (shown("linspace", 2 * half) != shown("aligned", 2 * half)) == (
        half in (27, 29, 47, 59, 89, 91)
    )


def test_plain_is_every_second():
    assert shown("plain", 8) == [0, 2, 4, 6]


@pytest.mark.parametrize("rule", ["plain", "aligned", "linspace"])
def test_doubled(rule):
    x = torch.rand(2, 3, 4, 5)
    y = doubled(x, rule)
    torch.testing.assert_close(y, x.repeat_interleave(2, -1).repeat_interleave(2, -2))
