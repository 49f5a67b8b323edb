"""Short+long term attention (Zheng et al., CVPR 2019): within the decoder, and to the encoder."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class ShortLongAttention(nn.Module):
    """One attention map, found on decoded features, applied to them and to the encoder's.

    Queries and keys are the same 1×1 convolution of the decoded features x. With A the softmax of
    their products, the results are γ·A(x) + x and, where the hole is, α·A(f), where the picture is
    known, the encoder's features f themselves (section 3.4). Both scales start at zero.

    The matrix of positions × positions is never held: PyTorch's fused attention goes over it in
    tiles.

    Args:
        channels: C.

    Shapes: x, f N×C×H×W, known N×1×H×W (1 = known) → two maps of N×C×H×W.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.query = nn.Conv2d(channels, max(channels // 4, 1), 1)
        self.gamma = nn.Parameter(torch.zeros(1))
        self.alpha = nn.Parameter(torch.zeros(1))

    def forward(self, x: Tensor, encoded: Tensor, known: Tensor) -> tuple[Tensor, Tensor]:
        """Attend; see the class."""
        both = torch.cat([x, encoded], dim=1).flatten(2).transpose(1, 2).unsqueeze(1)
        query = self.query(x).flatten(2).transpose(1, 2).unsqueeze(1)
        # Fused attention wants as many channels in queries as in values; zeros change no product.
        query = F.pad(query, (0, both.shape[-1] - query.shape[-1])).contiguous()
        attended = F.scaled_dot_product_attention(query, query, both.contiguous(), scale=1.0)
        attended = attended.squeeze(1).transpose(1, 2).reshape(x.shape[0], -1, *x.shape[-2:])
        short, long = attended.chunk(2, dim=1)
        return self.gamma * short + x, self.alpha * (1 - known) * long + known * encoded

    def multiply_accumulates(
        self, inputs: tuple[Tensor, ...], output: tuple[Tensor, Tensor]
    ) -> int:
        """Logits of the queries, and the weighted sums of both maps."""
        x = inputs[0]
        return x.shape[-2:].numel() ** 2 * (self.query.out_channels + 2 * x.shape[1])
