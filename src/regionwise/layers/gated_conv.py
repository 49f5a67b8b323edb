"""Gated convolution (Yu et al., ICCV 2019): each output is weighed by a learned gate."""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class GatedConv(nn.Module):
    """φ(features) · σ(gates), features and gates by one convolution of 2·Cout outputs (eq. 3).

    Args:
        in_channels, out_channels, kernel_size, stride: of the convolution; odd k, padding k // 2.
        activation: φ; ELU in that paper's network.

    Shapes: N×Cin×H×W → N×Cout×h×w.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int,
        *,
        stride: int = 1,
        activation: Callable[[Tensor], Tensor] = F.elu,
    ) -> None:
        super().__init__()
        self.activation = activation
        self.conv = nn.Conv2d(
            in_channels, 2 * out_channels, kernel_size, stride=stride, padding=kernel_size // 2
        )

    def forward(self, x: Tensor) -> Tensor:
        """Convolve and gate x."""
        features, gates = self.conv(x).chunk(2, dim=1)
        return self.activation(features) * torch.sigmoid(gates)
