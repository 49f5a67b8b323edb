"""PatchGAN's discriminator: scores of patches of 70 pixels."""

from __future__ import annotations

from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from regionwise.discriminators.discriminator import Discriminator, Judgement, Scale
from regionwise.errors import ModelError
from regionwise.layers.canny import gray


class PatchDiscriminator(Discriminator):
    """PatchGAN with spectral normalisation (Isola et al. 2017, as in EdgeConnect and RN).

    Five 4×4 convolutions, the first three of stride 2: a receptive field of 70 pixels.

    Args:
        channels: of a candidate: 3 for a picture, 1 for a guide (edges).
        width: channels of the first convolution, 64 in the papers.
        beside: what it sees beside each candidate: nothing, or the true photo's "gray" picture, as
            EdgeConnect's discriminator of edges does.

    Shapes: candidate N×channels×H×W → one scale: scores N×1×H/8×W/8.
    """

    def __init__(
        self,
        channels: int = 3,
        width: int = 64,
        beside: Literal["nothing", "gray"] = "nothing",
    ) -> None:
        super().__init__()
        if beside not in ("nothing", "gray"):
            raise ModelError(f"beside={beside!r} is not one of nothing, gray")
        self.beside = beside
        seen = channels + (beside == "gray")
        widths = [seen, width, 2 * width, 4 * width, 8 * width]
        self.convolutions = nn.ModuleList(
            spectral_norm(nn.Conv2d(a, b, 4, stride=stride, padding=1, bias=False))
            for a, b, stride in zip(widths[:-1], widths[1:], (2, 2, 2, 1), strict=True)
        )
        self.last = spectral_norm(nn.Conv2d(widths[-1], 1, 4, stride=1, padding=1, bias=False))

    def forward(self, candidate: Tensor, image: Tensor, mask: Tensor) -> Judgement:
        """Score patches of the candidate; see the class."""
        x = torch.cat([candidate, gray(image)], dim=1) if self.beside == "gray" else candidate
        features = []
        for convolution in self.convolutions:
            x = F.leaky_relu(convolution(x), 0.2)
            features.append(x)
        return [Scale(self.last(x), features)]
