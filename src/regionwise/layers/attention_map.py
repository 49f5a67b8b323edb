"""Learnable attention maps (Xie et al., ICCV 2019): features weighed by what is known around them.

Partial convolution's fixed steps, the count of known pixels and the update of the mask, become a
convolution and two functions that learn.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class AsymmetricGaussian(nn.Module):
    """g_A of eq. (7): a·exp(−γ_l (x − µ)²) below µ, 1 + (a − 1)·exp(−γ_r (x − µ)²) above.

    The numbers are kept in the ranges of the released code: a in [1.01, 6], µ in [0.1, 3], both γ
    in [0.5, 2].
    """

    def __init__(self, *, peak: float = 1.1, centre: float = 2.0, fall: float = 1.0) -> None:
        super().__init__()
        self.peak = nn.Parameter(torch.tensor(peak))
        self.centre = nn.Parameter(torch.tensor(centre))
        self.left = nn.Parameter(torch.tensor(fall))
        self.right = nn.Parameter(torch.tensor(fall))

    def forward(self, x: Tensor) -> Tensor:
        """Elementwise."""
        peak = self.peak.clamp(1.01, 6.0)
        squares = (x - self.centre.clamp(0.1, 3.0)).square()
        left = peak * torch.exp(-self.left.clamp(0.5, 2.0) * squares)
        right = 1 + (peak - 1) * torch.exp(-self.right.clamp(0.5, 2.0) * squares)
        return torch.where(x < self.centre.clamp(0.1, 3.0), left, right)


class AttentionMap(nn.Module):
    """One step of a mask's own path: a 4×4 convolution of stride 2, whose result is used twice.

    Shapes: N×Cin×H×W → weights for features and the next mask, both N×Cout×H/2×W/2.
    """

    def __init__(self, in_channels: int, out_channels: int, activation: AsymmetricGaussian) -> None:
        super().__init__()
        self.conv = nn.Conv2d(in_channels, out_channels, 4, stride=2, padding=1, bias=False)
        self.activation = activation

    def forward(self, mask: Tensor) -> tuple[Tensor, Tensor]:
        """Weights g_A(conv) and the updated mask relu(conv)^0.8 (eq. 8)."""
        x = self.conv(mask)
        positive = x > 0
        # Away from 0, where the power has no gradient.
        updated = torch.where(positive, x, 1).pow(0.8) * positive.to(x.dtype)
        return self.activation(x), updated


class AttendedConv(nn.Module):
    """A 4×4 convolution of stride 2, weighed by the map of its mask (forward attention).

    Shapes: x N×Cin×H×W, mask N×M×H×W → raw features, weighed features, weights and next mask, all
    N×Cout×H/2×W/2.
    """

    def __init__(self, in_channels: int, out_channels: int, mask_channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(in_channels, out_channels, 4, stride=2, padding=1, bias=False)
        self.map = AttentionMap(mask_channels, out_channels, AsymmetricGaussian())

    def forward(self, x: Tensor, mask: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Convolve and weigh x; see the class."""
        raw = self.conv(x)
        weights, mask = self.map(mask)
        return raw, F.leaky_relu(raw * weights, 0.2), weights, mask
