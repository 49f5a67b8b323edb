"""Sampling along an appearance flow (Ren et al., ICCV 2019): each position fetches another's look.

A wide Gaussian, not the four nearest pixels: a flow that is far off still has a gradient that leads
home.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def gaussian_sample(x: Tensor, flow: Tensor, taps: int, sigma: float) -> Tensor:
    """The mean of x around the place that the flow points to, with Gaussian weights.

    Args:
        x: N×C×H×W. Beyond the border its last row and column go on.
        flow: N×2×H×W, how far to go to the right and down, in pixels of x.
        taps: pixels of the Gaussian along each axis, even: half of them on either side.
        sigma: its deviation, in pixels.

    Returns:
        N×C×H×W.
    """
    batch, channels, height, width = x.shape
    columns = torch.arange(width, device=x.device, dtype=flow.dtype)
    rows = torch.arange(height, device=x.device, dtype=flow.dtype).unsqueeze(1)
    across, across_weights = _taps(flow[:, 0] + columns, width, taps, sigma)
    down, down_weights = _taps(flow[:, 1] + rows, height, taps, sigma)
    # Every picture of the batch is a stretch of one table of positions.
    first = (torch.arange(batch, device=x.device) * height * width).view(-1, 1, 1, 1, 1)
    places = first + down.unsqueeze(-1) * width + across.unsqueeze(-2)
    weights = down_weights.unsqueeze(-1) * across_weights.unsqueeze(-2)
    table = x.permute(0, 2, 3, 1).reshape(-1, channels)
    sampled = F.embedding_bag(
        places.reshape(-1, taps * taps),
        table,
        per_sample_weights=weights.reshape(-1, taps * taps).to(table.dtype),
        mode="sum",
    )
    return sampled.view(batch, height, width, channels).permute(0, 3, 1, 2)


def _taps(position: Tensor, size: int, taps: int, sigma: float) -> tuple[Tensor, Tensor]:
    """Indices and normalised weights of the pixels around positions: N×H×W → N×H×W×taps."""
    offsets = torch.arange(-taps // 2 + 1, taps // 2 + 1, device=position.device)
    near = position.detach().floor().unsqueeze(-1) + offsets
    weights = torch.exp(-(near - position.unsqueeze(-1)).square() / (2 * sigma**2))
    return near.clamp(0, size - 1).long(), weights / weights.sum(dim=-1, keepdim=True)
