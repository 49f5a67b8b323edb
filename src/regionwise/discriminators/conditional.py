"""DeepGIN's discriminators: several scales, beside the photo with its hole."""

from __future__ import annotations

from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from regionwise.discriminators.discriminator import Discriminator, Judgement, Scale, holed
from regionwise.errors import ModelError

Layout = Literal["paper", "released"]

_LAYERS: dict[str, tuple[tuple[int, int, int], ...]] = {
    "paper": ((4, 2, 1), (4, 2, 1), (3, 1, 1), (3, 1, 1)),
    "released": ((4, 2, 2), (4, 2, 2), (4, 1, 2), (4, 1, 2)),
}
"""Kernel, stride and padding of each layer."""


class ConditionalMultiScaleDiscriminator(Discriminator):
    """DeepGIN's two discriminators, at full and half size (section 4.1).

    Each sees the photo with its hole painted white and, beside it, a candidate: the filled photo or
    the true one.

    - In the "paper" layout scores are at a quarter of each size, for patches of 26 pixels. The
      paper gives sizes and spectral normalisation, the rest is ours: 4×4 convolutions of stride 2,
      then 3×3, and c = 1.
    - The "released" code has 4×4 convolutions throughout, padded by 2, and c = 256: scores of
      256×67×67 for a picture of 256 pixels, 3,421,568 parameters of two scales.

    Args:
        width: channels of the first convolution.
        scales: discriminators; each next one sees half the size, averaged 3×3 with stride 2.
        maps: scores of each patch, c in the paper, which leaves it open.
        layout: see above.

    Shapes: candidate N×3×H×W, H and W at least 2·2**scales → for each scale of h×w pixels, scores
    N×maps×h/4×w/4 (3 more a side as released).
    """

    def __init__(
        self, width: int = 64, scales: int = 2, maps: int = 1, layout: Layout = "paper"
    ) -> None:
        super().__init__()
        if layout not in _LAYERS:
            raise ModelError(f"layout={layout!r} is not one of {', '.join(_LAYERS)}")
        self.discriminators = nn.ModuleList(
            _OneScale(width, maps, _LAYERS[layout]) for _ in range(scales)
        )

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

    def __init__(self, width: int, maps: int, layers: tuple[tuple[int, int, int], ...]) -> None:
        super().__init__()
        widths = (6, width, 2 * width, 4 * width, maps)
        *convolutions, self.last = (
            spectral_norm(nn.Conv2d(a, b, kernel, stride=stride, padding=padding))
            for a, b, (kernel, stride, padding) in zip(widths[:-1], widths[1:], layers, strict=True)
        )
        self.convolutions = nn.ModuleList(convolutions)

    def forward(self, x: Tensor) -> Scale:
        features = []
        for convolution in self.convolutions:
            x = F.leaky_relu(convolution(x), 0.2)
            features.append(x)
        return Scale(self.last(x), features)
