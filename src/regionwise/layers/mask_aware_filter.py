"""Mask-aware dynamic filtering (Zhu et al. 2021, section III-B): a filter for every window.

A k×k convolution of the mask features, with ReLU, gives M numbers m₁…m_M for each window; the
window's filter is an affine function of them, Θ = Θ₀ + Σⱼ mⱼ Θⱼ. Filtering is linear in the filter,
so the answer at a window is Θ₀∗x + Σⱼ mⱼ (Θⱼ∗x): ONE ordinary convolution with (M + 1)·Cout outputs
and a weighted sum. No filter of a window is ever made; the literal form needs Cin·k·k·Cout numbers
for each of them (1.2 GB at the first level of MADF for a picture of 512×512).
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def filter_by_features(
    x: Tensor, features: Tensor, weight: Tensor, *, stride: int = 1, padding: int = 0
) -> Tensor:
    """Filter each window of x by the affine function of its features that `weight` describes.

    Args:
        x: N×Cin×H×W.
        features: N×M×h×w, one vector for each window of x.
        weight: (M + 1)·Cout × Cin × k × k: the filters Θ₁…Θ_M that the features multiply, each Cout
            outputs, then the constant Θ₀.
        stride, padding: of the windows, as in a convolution.

    Returns:
        N×Cout×h×w.
    """
    responses = F.conv2d(x, weight, stride=stride, padding=padding)
    count = features.shape[1]
    if torch.compiler.is_compiling():
        # A compiler fuses this; an exporter is spared shapes that it would write down wrongly.
        *scaled, weighted = responses.chunk(count + 1, dim=1)
        for feature, response in zip(features.chunk(count, dim=1), scaled, strict=True):
            weighted = weighted + feature * response
        return weighted
    factors = torch.cat([features, torch.ones_like(features[:, :1])], dim=1)
    # At each window 1×(M+1) times (M+1)×Cout; in channels-last layout nothing is copied for it.
    responses, factors = responses.permute(0, 2, 3, 1), factors.permute(0, 2, 3, 1)
    filters = responses.reshape(*responses.shape[:3], count + 1, -1)
    return torch.matmul(factors.unsqueeze(3), filters).squeeze(3).permute(0, 3, 1, 2)


class MaskAwareFilter(nn.Module):
    """Mask-aware dynamic filtering of k×k windows, with odd k and padding k // 2.

    Args:
        in_channels: Cin of the picture features.
        out_channels: Cout.
        kernel_size: k, of the filters and of the convolution over the mask.
        mask_channels: C of the mask features that come in.
        mask_features: M, the mask features that go out and choose the filter; 16 in the paper.
        stride: of the windows.

    Shapes: x N×Cin×H×W and mask features N×C×H×W → filtered N×Cout×h×w, without activation, and
    mask features N×M×h×w, not negative.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int,
        *,
        mask_channels: int,
        mask_features: int = 16,
        stride: int = 1,
    ) -> None:
        super().__init__()
        self.stride = stride
        self.padding = kernel_size // 2
        self.mask_conv = nn.Conv2d(
            mask_channels, mask_features, kernel_size, stride=stride, padding=self.padding
        )
        shape = ((mask_features + 1) * out_channels, in_channels, kernel_size, kernel_size)
        self.weight = nn.Parameter(torch.empty(shape).contiguous(memory_format=torch.channels_last))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Kaiming normal; the filters that features multiply share one variance among them."""
        nn.init.kaiming_normal_(self.weight, nonlinearity="relu")
        nn.init.kaiming_normal_(self.mask_conv.weight, nonlinearity="relu")
        assert self.mask_conv.bias is not None
        nn.init.zeros_(self.mask_conv.bias)
        features = self.mask_conv.out_channels
        with torch.no_grad():
            self.weight[: self.weight.shape[0] // (features + 1) * features] /= features**0.5

    def forward(self, x: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """Filter x by the filters that the mask features choose; see the class."""
        features = F.relu(self.mask_conv(mask))
        y = filter_by_features(x, features, self.weight, stride=self.stride, padding=self.padding)
        return y, features

    def multiply_accumulates(
        self, inputs: tuple[Tensor, ...], output: tuple[Tensor, Tensor]
    ) -> int:
        """Each window's filter, made of M others, and its use: M + 1 products."""
        return output[0].shape[-2:].numel() * self.weight.numel()

    def filters(self, features: Tensor) -> Tensor:
        """The filters Θ themselves, to look at (Figure 5).

        Args:
            features: M numbers for each of some windows, count×M, as `forward` gives them back.

        Returns:
            count×Cout×Cin×k×k.
        """
        bases = self.weight.reshape(features.shape[1] + 1, -1, *self.weight.shape[1:])
        filters: Tensor = torch.tensordot(features, bases[:-1], dims=1) + bases[-1]
        return filters
