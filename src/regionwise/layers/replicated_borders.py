"""Convolutions that see the border's pixels repeated beyond it."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def replicate_borders(x: Tensor, edge: int) -> Tensor:
    """Repeat the outermost rows and columns of N×C×H×W `edge` times on each side.

    For compilers it is written as a concatenation: PyTorch (2.13 still) tells them that the
    gradient of its own padding is laid out as planes, which fails in channels-last networks.
    """
    if not torch.compiler.is_compiling() or torch.onnx.is_in_onnx_export():
        return F.pad(x, (edge, edge, edge, edge), mode="replicate")
    first, last = x[:, :, :1], x[:, :, -1:]
    x = torch.cat([first.expand(-1, -1, edge, -1), x, last.expand(-1, -1, edge, -1)], dim=2)
    first, last = x[..., :1], x[..., -1:]
    return torch.cat([first.expand(-1, -1, -1, edge), x, last.expand(-1, -1, -1, edge)], dim=3)


class ReplicatedConv2d(nn.Conv2d):
    """A convolution with replicated borders that keeps the size, or halves it with stride 2.

    Args:
        inputs, outputs: channels.
        kernel: its side; an odd one, or an even one with stride 2.
        stride, dilation: as of `torch.nn.Conv2d`.

    Shapes: N×inputs×H×W, any H, W ≥ 1 (even ones for stride 2) → N×outputs×H/stride×W/stride.
    """

    def __init__(
        self, inputs: int, outputs: int, kernel: int, *, stride: int = 1, dilation: int = 1
    ) -> None:
        super().__init__(inputs, outputs, kernel, stride=stride, dilation=dilation)
        self.edge = dilation * (kernel - 1) // 2

    def forward(self, x: Tensor) -> Tensor:
        """Convolve x; see the class."""
        x = replicate_borders(x, self.edge)
        return F.conv2d(x, self.weight, self.bias, self.stride, dilation=self.dilation)
