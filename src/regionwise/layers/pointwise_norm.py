"""Point-wise normalisation (Zhu et al. 2021, eq. 1): scale and bias for every point."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class PointwiseNorm(nn.Module):
    """Batch normalisation whose scale and bias are convolutions of another feature map.

    y = x̂·(1 + α) + β, where x̂ is x normalised without affine map, and α and β come from the
    condition: 3×3 to `hidden` channels with ReLU, then 3×3. The paper writes α for 1 + α; the
    released network has the 1. Both maps come from one convolution of 2·C outputs, in this order.

    Args:
        channels: C.
        condition_channels: of the feature map that scale and bias are made from.
        hidden: channels between, 128 as released.
        eps: added to the variance.

    Shapes: x N×C×H×W, condition N×condition_channels×H×W → N×C×H×W.
    """

    def __init__(
        self, channels: int, condition_channels: int, hidden: int = 128, *, eps: float = 1e-5
    ) -> None:
        super().__init__()
        self.norm: nn.Module = nn.BatchNorm2d(channels, eps=eps, affine=False)
        self.shared = nn.Conv2d(condition_channels, hidden, 3, padding=1)
        self.affine = nn.Conv2d(hidden, 2 * channels, 3, padding=1)

    def forward(self, x: Tensor, condition: Tensor) -> Tensor:
        """Normalise x and map each of its points by what the condition says there."""
        hidden = F.relu(self.shared(condition), inplace=True)
        assert self.affine.bias is not None
        alpha, beta = self.affine.bias.chunk(2)  # the 1 of 1 + α joins the convolution's bias
        maps = F.conv2d(hidden, self.affine.weight, torch.cat([1 + alpha, beta]), padding=1)
        scale, bias = maps.chunk(2, dim=1)
        return torch.addcmul(bias, self.norm(x), scale)

    def multiply_accumulates(self, inputs: tuple[Tensor, ...], output: Tensor) -> int:
        """The convolution to scale and bias."""
        return output.shape[-2:].numel() * self.affine.weight.numel()
