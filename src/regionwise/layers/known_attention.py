"""Self-attention over a whole feature map, in which missing places count less as sources."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class KnownAttention(nn.Module):
    """softmax(q·k / √d − p·missing) · v, p learned for each head; zero at first.

    Each place's channels are normalised before queries, keys and values are made of them. For
    small maps: it holds a number for each pair of places.

    Args:
        channels: C, a multiple of the heads.
        heads: parts into which the channels are cut, each with an attention of its own.

    Shapes: x N×C×H×W and the missing share of each place N×1×H×W → N×C×H×W, to be added to x.
    """

    def __init__(self, channels: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm = nn.LayerNorm(channels)
        self.enter = nn.Conv2d(channels, 3 * channels, 1, bias=False)
        self.leave = nn.Conv2d(channels, channels, 1)
        self.penalty = nn.Parameter(torch.ones(heads))
        nn.init.zeros_(self.leave.weight)
        assert self.leave.bias is not None
        nn.init.zeros_(self.leave.bias)

    def forward(self, x: Tensor, missing: Tensor) -> Tensor:
        """What each place takes over from all places; see the class."""
        normalized = self.norm(x.permute(0, 2, 3, 1)).to(x.dtype).permute(0, 3, 1, 2)
        parts = self.enter(normalized).chunk(3, dim=1)
        query, key, value = (
            part.flatten(2).unflatten(1, (self.heads, -1)).transpose(2, 3) for part in parts
        )
        penalty = self.penalty.view(1, -1, 1, 1) * missing.flatten(2).unsqueeze(1)
        scores = query @ key.transpose(2, 3) * query.shape[-1] ** -0.5 - penalty.to(query.dtype)
        taken = F.softmax(scores, dim=-1).to(value.dtype) @ value
        taken = taken.transpose(2, 3).reshape(x.shape)
        left: Tensor = self.leave(taken.contiguous(memory_format=torch.channels_last))
        return left
