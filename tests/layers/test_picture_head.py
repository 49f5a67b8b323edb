from __future__ import annotations

import pytest
import torch
from torch import nn

from regionwise.layers.picture_head import PictureHead


@pytest.mark.parametrize(
    ("channels", "outputs", "kernel", "height", "width"),
    [(5, 3, 7, 8, 14), (4, 1, 7, 4, 6), (3, 2, 3, 2, 10), (6, 3, 5, 16, 4)],
)
def test_in_blocks_it_is_the_plain_convolution(
    channels: int, outputs: int, kernel: int, height: int, width: int
) -> None:
    torch.manual_seed(0)
    head = PictureHead(channels, outputs, kernel).double()
    plain = nn.Conv2d(
        channels, outputs, kernel, padding=kernel // 2, padding_mode="reflect"
    ).double()
    plain.load_state_dict(head.state_dict())
    x = torch.randn(2, channels, height, width, dtype=torch.float64)
    pull = torch.randn(2, outputs, height, width, dtype=torch.float64)
    found = []
    for layer in (head, plain):
        seen = x.clone().requires_grad_()
        answer = layer(seen)
        gradients = torch.autograd.grad((answer * pull).sum(), [seen, *layer.parameters()])
        found.append([answer, *gradients])
    for ours, theirs in zip(*found, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-11)
