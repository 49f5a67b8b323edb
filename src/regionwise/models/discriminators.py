"""Networks that tell filled pictures from real ones."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm


class PatchDiscriminator(nn.Module):
    """PatchGAN with spectral normalisation (Isola et al. 2017, as in EdgeConnect and RN).

    Five 4×4 convolutions, the first three of stride 2: a receptive field of 70 pixels.

    Args:
        channels: of the input: 3 for a picture, 4 for a picture and its mask.
        width: channels of the first convolution, 64 in the papers.

    Shapes: N×channels×H×W → (scores N×1×H/8×W/8 without activation, the features before them).
    """

    def __init__(self, channels: int = 3, width: int = 64) -> None:
        super().__init__()
        widths = [channels, width, 2 * width, 4 * width, 8 * width]
        self.convolutions = nn.ModuleList(
            spectral_norm(nn.Conv2d(a, b, 4, stride=stride, padding=1, bias=False))
            for a, b, stride in zip(widths[:-1], widths[1:], (2, 2, 2, 1), strict=True)
        )
        self.last = spectral_norm(nn.Conv2d(widths[-1], 1, 4, stride=1, padding=1, bias=False))

    def forward(self, x: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Score patches of x; see the class."""
        features = []
        for convolution in self.convolutions:
            x = F.leaky_relu(convolution(x), 0.2)
            features.append(x)
        return self.last(x), features
