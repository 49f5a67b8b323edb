"""Folded normalisations answer as before, and multiply by nothing."""

import pytest
import torch
from torch import nn

from regionwise.layers.folding import fold_scale


@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("kind", [nn.Conv2d, nn.ConvTranspose2d])
def test_a_sum_of_convolutions(kind, bias):
    torch.manual_seed(0)
    one, other = kind(3, 5, 3, bias=bias), kind(2, 5, 3)
    norm = nn.BatchNorm2d(5).eval()
    for values in (norm.weight, norm.bias, norm.running_mean):
        nn.init.normal_(values)
    nn.init.uniform_(norm.running_var, 0.2, 3)
    x, y = torch.rand(2, 3, 6, 7), torch.rand(2, 2, 6, 7)
    with torch.no_grad():
        before = norm(one(x) + other(y))
        fold_scale(norm, one, None, other)
        torch.testing.assert_close(norm(one(x) + other(y)), before)
        raised = norm(torch.ones(1, 5, 1, 1)) - norm(torch.zeros(1, 5, 1, 1))
    torch.testing.assert_close(raised, torch.ones(1, 5, 1, 1))
