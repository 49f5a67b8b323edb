"""DeepGIN's discriminators: several scales, beside the photo with its hole."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from regionwise.discriminators.discriminator import Discriminator, Judgement, Scale, holed


class ConditionalMultiScaleDiscriminator(Discriminator):
    """DeepGIN's two discriminators, at full and half size (section 4.1).

    Each sees the photo with its hole painted white and, beside it, a candidate: the filled photo or
    the true one. Scores at a quarter of each size, for patches of 26 pixels. The paper gives sizes
    and spectral normalisation, the rest is ours: 4×4 convolutions of stride 2, then 3×3.

    Args:
        width: channels of the first convolution.
        scales: discriminators; each next one sees half the size, averaged 3×3 with stride 2.
        maps: scores of each patch, c in the paper, which leaves it open.

    Shapes: candidate N×3×H×W, H and W at least 2·2**scales → for each scale of h×w pixels, scores
    N×maps×h/4×w/4.
    """

    def __init__(self, width: int = 64, scales: int = 2, maps: int = 1) -> None:
        super().__init__()
        self.discriminators = nn.ModuleList(_OneScale(width, maps) for _ in range(scales))

    def forward(self, candidate: Tensor, image: Tensor, mask: Tensor) -> Judgement:
        """Score patches of the candidate, given the photo with its hole; see the class."""
        x = torch.cat([holed(image, mask), candidate], dim=1)
        judgement = []
        for number, discriminator in enumerate(self.discriminators):
            if number:
                x = F.avg_pool2d(x, 3, stride=2, padding=1, count_include_pad=False)
            judgement.append(discriminator(x))
        return judgement


class _OneScale(nn.Module):
    """Scores patches of two pictures, one upon the other in 6 channels."""

    def __init__(self, width: int, maps: int) -> None:
        super().__init__()
        self.convolutions = nn.ModuleList(
            [
                spectral_norm(nn.Conv2d(6, width, 4, stride=2, padding=1)),
                spectral_norm(nn.Conv2d(width, 2 * width, 4, stride=2, padding=1)),
                spectral_norm(nn.Conv2d(2 * width, 4 * width, 3, padding=1)),
            ]
        )
        self.last = spectral_norm(nn.Conv2d(4 * width, maps, 3, padding=1))

    def forward(self, x: Tensor) -> Scale:
        features = []
        for convolution in self.convolutions:
            x = F.leaky_relu(convolution(x), 0.2)
            features.append(x)
        return Scale(self.last(x), features)
