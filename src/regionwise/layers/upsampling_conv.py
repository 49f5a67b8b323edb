"""A 3×3 convolution after nearest-neighbour upsampling by two, at 4/9 of its cost.

A doubled pixel meets one or two of the three taps along each side: the taps that meet it are added
up beforehand, and what is left is one transposed convolution with a 4×4 kernel and stride 2.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

_TAPS = ((0.0, 0.0, 1.0), (0.0, 1.0, 1.0), (1.0, 1.0, 0.0), (1.0, 0.0, 0.0))
"""Which taps of three meet the pixel that the a-th tap of the transposed kernel belongs to."""


def pad_for_upsampling(x: Tensor) -> Tensor:
    """Repeat the border once: after the doubling this is a reflection by one pixel."""
    return F.pad(x, (1, 1, 1, 1), mode="replicate")


def upsampling_conv(padded: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """Double the size by nearest neighbour, then convolve; exact up to the order of summation.

    Args:
        padded: N×C×(H+2)×(W+2), the map with a border of one, which is not part of the answer:
            from `pad_for_upsampling`, or cut out of a larger map.
        weight: Cout×C×3×3, as of the convolution on the doubled map.
        bias: Cout.

    Returns:
        N×Cout×2H×2W.
    """
    taps = torch.tensor(_TAPS, dtype=weight.dtype, device=weight.device)
    merged = weight.flatten(2) @ torch.kron(taps, taps).T
    merged = merged.view(*merged.shape[:2], 4, 4).transpose(0, 1)
    return F.conv_transpose2d(padded, merged, bias, stride=2, padding=3)


class UpsamplingConv(nn.Module):
    """Nearest-neighbour upsampling by two, reflection by one, 3×3 convolution.

    Shapes: N×in_channels×H×W → N×out_channels×2H×2W. `weight` and `bias` are the convolution's.
    """

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(out_channels, in_channels, 3, 3))
        self.bias = nn.Parameter(torch.zeros(out_channels))
        nn.init.xavier_uniform_(self.weight)

    def forward(self, x: Tensor) -> Tensor:
        """Double and convolve x."""
        return upsampling_conv(pad_for_upsampling(x), self.weight, self.bias)

    def multiply_accumulates(self, inputs: tuple[Tensor, ...], output: Tensor) -> int:
        """The convolution after the upsampling."""
        return output.numel() * self.weight[0].numel()
