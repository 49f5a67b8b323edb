"""Residual blocks that look near and far at once: DeepGIN's spatial pyramid dilation."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from regionwise.errors import ModelError
from regionwise.layers.replicated_borders import ReplicatedConv2d

EIGHT_RATES = (2, 3, 4, 5, 6, 8, 10, 1)
"""DeepGIN's coarse stage (figure 3d), in the order of the released weights."""
FOUR_RATES = (2, 3, 4, 5)
"""DeepGIN's refinement stage (figure 3c)."""


class PyramidDilationBlock(nn.Module):
    """The SPD ResNet block (section 4.1, figure 3): x + fusion(relu(dilated convolutions of x)).

    Each rate has a 3×3 convolution to an equal share of the channels, so that the number of
    parameters does not depend on the rates. `rates=(1,)` is the standard residual block (figure
    3a), `rates=(2,)` the dilated one (figure 3b). Borders are replicated; the fusion, a 3×3
    convolution, has no activation. Weights start at Kaiming normal × 0.1, ESRGAN's "smaller
    initialization", to which the paper points.

    Args:
        channels: C.
        rates: dilations, at least one and at most C. Where C does not divide by their number, the
            first branches get a channel more.

    Shapes: x N×C×H×W, any H, W ≥ 1 → N×C×H×W.

    Raises:
        ModelError: for rates that can't be had.
    """

    def __init__(self, channels: int, rates: Sequence[int] = FOUR_RATES) -> None:
        super().__init__()
        if not 0 < len(rates) <= channels or min(rates) < 1:
            raise ModelError(
                f"dilation rates {list(rates)} do not fit {channels} channels: "
                f"give 1 to {channels} rates, each at least 1"
            )
        share, rest = divmod(channels, len(rates))
        self.branches = nn.ModuleList(
            ReplicatedConv2d(channels, share + (branch < rest), 3, dilation=rate)
            for branch, rate in enumerate(rates)
        )
        self.fusion = ReplicatedConv2d(channels, channels, 3)
        for convolution in (*self.branches, self.fusion):
            nn.init.kaiming_normal_(convolution.weight)
            convolution.weight.data.mul_(0.1)
            nn.init.zeros_(convolution.bias)

    def forward(self, x: Tensor) -> Tensor:
        """Add the fused branches to x."""
        pyramid = torch.cat([branch(x) for branch in self.branches], dim=1)
        fused: Tensor = self.fusion(F.relu(pyramid, inplace=True))
        return fused + x
