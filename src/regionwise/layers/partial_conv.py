"""Partial convolution (Liu et al., ECCV 2018): a convolution over the known pixels of a window."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class PartialConv(nn.Module):
    """Convolution over known pixels, rescaled to a full window, with mask update (eq. 1 and 2).

    Where a window holds known pixels the answer is W·(x ⊙ known) · sum(1)/sum(known) + b, the sums
    over channels and window, and the window becomes known; where it holds none the answer is 0. The
    padding counts as missing.

    Args:
        in_channels, out_channels, kernel_size, stride: of the convolution; odd k, padding k // 2.
        bias: whether there is b.
        shares: how many channels each channel of the mask stands for; by default its one channel
            for all. Two of them serve features of a decoder and a skip, whose holes differ.

    Shapes: x N×Cin×H×W, mask N×len(shares)×H×W (1 = missing) → N×Cout×h×w, mask N×1×h×w.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int,
        *,
        stride: int = 1,
        bias: bool = True,
        shares: Sequence[int] | None = None,
    ) -> None:
        super().__init__()
        padding = kernel_size // 2
        self.conv = nn.Conv2d(
            in_channels, out_channels, kernel_size, stride=stride, padding=padding, bias=False
        )
        self.bias = nn.Parameter(torch.zeros(out_channels)) if bias else None
        self.shares = (in_channels,) if shares is None else tuple(shares)

    def forward(self, x: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """Convolve the known pixels of x; see the class."""
        known = (mask <= 0.5).to(x.dtype)
        kernel = self.conv.kernel_size[0]
        with torch.no_grad():
            share = x.new_tensor(self.shares).view(1, -1, 1, 1) / sum(self.shares)
            window = share.expand(1, -1, kernel, kernel)
            count = F.conv2d(known, window, stride=self.conv.stride, padding=self.conv.padding)
            some = (count > 0.5 * min(self.shares) / sum(self.shares)).to(x.dtype)
            scale = some * kernel**2 / torch.where(some > 0, count, 1.0)
        # Not a product: what a hole holds may be infinite or no number at all.
        if len(self.shares) > 1:
            parts = known.chunk(len(self.shares), dim=1)
            known = torch.cat(
                [k.expand(-1, c, -1, -1) for k, c in zip(parts, self.shares, strict=True)], dim=1
            )
        y = self.conv(torch.where(known > 0, x, torch.zeros_like(x))) * scale
        if self.bias is not None:
            y = y + self.bias.view(1, -1, 1, 1) * some
        return y, 1 - some
