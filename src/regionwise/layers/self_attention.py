"""Self-attention over the positions of a feature map, in memory linear in their number."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn


class SelfAttention(nn.Module):
    """The non-local block of Wang et al. (CVPR 2018) in its embedded Gaussian form, as in DeepGIN.

    x + W(softmax(θ(x)·φ(x)ᵀ) g(x)) over all positions; θ, φ, g and W are 1×1 convolutions. The
    logits are not divided by the root of their length, unlike a transformer's. W starts at zero, so
    that a new block changes nothing.

    The matrix of positions × positions is never held: PyTorch's fused attention goes over it in
    tiles. It does so only for queries, keys and values whose channels are adjacent in memory.

    Args:
        channels: C.
        inner: channels of θ, φ and g, C/2 in the paper.

    Shapes: x N×C×H×W, any H, W ≥ 1 → N×C×H×W.
    """

    def __init__(self, channels: int, inner: int | None = None) -> None:
        super().__init__()
        inner = max(channels // 2, 1) if inner is None else inner
        self.embedding = nn.Conv2d(channels, 3 * inner, 1)
        """θ, φ and g, one below the other."""
        self.output = nn.Conv2d(inner, channels, 1)
        for parameter in self.output.parameters():
            nn.init.zeros_(parameter)

    def forward(self, x: Tensor) -> Tensor:
        """Let each position see all others."""
        height, width = x.shape[-2:]
        embedded = self.embedding(x).permute(0, 2, 3, 1).flatten(1, 2).contiguous()
        query, key, value = embedded.unsqueeze(1).chunk(3, dim=-1)
        attended = F.scaled_dot_product_attention(query, key, value, scale=1.0)
        attended = attended.squeeze(1).transpose(1, 2).reshape(x.shape[0], -1, height, width)
        answer: Tensor = x + self.output(attended)
        return answer

    def multiply_accumulates(self, inputs: tuple[Tensor, ...], output: Tensor) -> int:
        """Logits and weighted sums."""
        return 2 * output.shape[-2:].numel() ** 2 * self.output.in_channels
