"""Networks that tell filled pictures from real ones."""

from __future__ import annotations

from itertools import pairwise
from typing import Literal

import torch
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


class ConditionalMultiScaleDiscriminator(nn.Module):
    """DeepGIN's two discriminators, at full and half size (section 4.1).

    Each sees the photo with its hole painted white and, beside it, a candidate: the filled photo or
    the true one. Scores at a quarter of each size, for patches of 26 pixels. The paper gives sizes
    and spectral normalisation, the rest is ours: 4×4 convolutions of stride 2, then 3×3.

    Args:
        width: channels of the first convolution.
        scales: discriminators; each next one sees half the size, averaged 3×3 with stride 2.
        maps: scores of each patch, c in the paper, which leaves it open.

    Shapes: masked and candidate N×3×H×W, H and W at least 2·2**scales → for each scale (scores
    N×maps×h/4×w/4 without activation, the features before them), h×w being that scale's size.
    """

    def __init__(self, width: int = 64, scales: int = 2, maps: int = 1) -> None:
        super().__init__()
        self.discriminators = nn.ModuleList(_OneScale(width, maps) for _ in range(scales))

    def forward(self, masked: Tensor, candidate: Tensor) -> list[tuple[Tensor, list[Tensor]]]:
        """Score patches of candidate, given masked; see the class."""
        x = torch.cat([masked, candidate], dim=1)
        answers = []
        for number, discriminator in enumerate(self.discriminators):
            if number:
                x = F.avg_pool2d(x, 3, stride=2, padding=1, count_include_pad=False)
            answers.append(discriminator(x))
        return answers


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

    def forward(self, x: Tensor) -> tuple[Tensor, list[Tensor]]:
        features = []
        for convolution in self.convolutions:
            x = F.leaky_relu(convolution(x), 0.2)
            features.append(x)
        return self.last(x), features


class RegionWiseDiscriminator(nn.Module):
    """Sees the hole's content and the validity, nothing of the known region (Region-wise GAN, 3.4).

    Six 5×5 convolutions of stride 2 with spectral normalisation, each followed by a leaky ReLU, of
    1, 2, 4, 4, 4, 4 times the width, as released. Its scores are the last features: of eq. (6) they
    are D_r(I ⊙ (1 − M), M), with the paper's M, 1 = known.

    With `sees="picture"` it is the SN-PatchGAN of DeepFill v2: the same layers upon the
    whole picture and the mask.

    Args:
        width: channels of the first convolution, 64 as released.
        sees: "hole" or "picture".

    Shapes: picture N×3×H×W, mask N×1×H×W (1 = missing) → (scores N×(4·width)×⌈H/64⌉×⌈W/64⌉, the
    features before them). The released adversarial term compares them with the mask resized to
    their size.
    """

    def __init__(self, width: int = 64, sees: Literal["hole", "picture"] = "hole") -> None:
        super().__init__()
        if sees not in ("hole", "picture"):
            raise TypeError(f"sees={sees!r} is none of hole, picture")
        self.sees = sees
        widths = [4, width, 2 * width, *4 * [4 * width]]
        self.convolutions = nn.ModuleList(
            spectral_norm(nn.Conv2d(a, b, 5, stride=2, padding=2)) for a, b in pairwise(widths)
        )

    def forward(self, image: Tensor, mask: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Score the picture's hole; see the class."""
        mask = (mask > 0.5).to(image.dtype)
        # Not a product: what a known pixel holds must not matter, not even NaN.
        hole = torch.where(mask > 0, image, torch.zeros_like(image))
        content = hole if self.sees == "hole" else image
        x = torch.cat([content, 1 - mask], dim=1)
        features = []
        for convolution in self.convolutions:
            x = F.leaky_relu(convolution(x), 0.2)
            features.append(x)
        return features.pop(), features
