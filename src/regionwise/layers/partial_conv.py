"""Partial convolution (Liu et al., ECCV 2018): a convolution over the known pixels of a window."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class PartialConv(nn.Module):
    """Convolution over known pixels, rescaled to a full window, with mask update (eq. 1 and 2).

    Where a window holds known pixels the answer is W·(x ⊙ known) · k²/(number known) + b, and the
    window becomes known; where it holds none the answer is 0. The padding counts as missing.

    Args:
        in_channels, out_channels, kernel_size, stride: of the convolution; odd k, padding k // 2.

    Shapes: x N×Cin×H×W, mask N×1×H×W (1 = missing) → N×Cout×h×w, mask N×1×h×w.
    """

    def __init__(
        self, in_channels: int, out_channels: int, kernel_size: int, *, stride: int = 1
    ) -> None:
        super().__init__()
        padding = kernel_size // 2
        self.conv = nn.Conv2d(
            in_channels, out_channels, kernel_size, stride=stride, padding=padding, bias=False
        )
        self.bias = nn.Parameter(torch.zeros(out_channels))

    def forward(self, x: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """Convolve the known pixels of x; see the class."""
        known = (mask <= 0.5).to(x.dtype)
        kernel = self.conv.kernel_size[0]
        window = torch.ones(1, 1, kernel, kernel, dtype=x.dtype, device=x.device)
        with torch.no_grad():
            count = F.conv2d(known, window, stride=self.conv.stride, padding=self.conv.padding)
            some = (count > 0.5).to(x.dtype)
            scale = some * kernel**2 / count.clamp(min=1)
        # Not a product: what a hole holds may be infinite or no number at all.
        y = self.conv(torch.where(known > 0, x, torch.zeros_like(x)))
        return y * scale + self.bias.view(1, -1, 1, 1) * some, 1 - some
