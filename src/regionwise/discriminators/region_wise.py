"""The Region-wise GAN's discriminator, which sees the hole alone, and DeepFill v2's."""

from __future__ import annotations

from itertools import pairwise
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from regionwise.discriminators.discriminator import Discriminator, Judgement, Scale
from regionwise.errors import ModelError


class RegionWiseDiscriminator(Discriminator):
    """Sees the hole's content and the validity, nothing of the known region (Region-wise GAN, 3.4).

    Six 5×5 convolutions of stride 2 with spectral normalisation, each followed by a leaky ReLU, of
    1, 2, 4, 4, 4, 4 times the width, as released. Its scores are the last features: of eq. (6) they
    are D_r(I ⊙ (1 − M), M), with the paper's M, 1 = known.

    With `sees="picture"` it is the SN-PatchGAN of DeepFill v2: the same layers upon the
    whole picture and the mask.

    Args:
        width: channels of the first convolution, 64 as released.
        sees: "hole" or "picture".
        signed: whether pictures are brought to [-1, 1] first, so that what is known is mid grey to
            it and not black, as in the released Region-wise code.

    Shapes: candidate N×3×H×W → one scale: scores N×(4·width)×⌈H/64⌉×⌈W/64⌉. The released
    adversarial loss compares them with the mask resized to their size.
    """

    def __init__(
        self,
        width: int = 64,
        sees: Literal["hole", "picture"] = "hole",
        signed: bool = False,
    ) -> None:
        super().__init__()
        if sees not in ("hole", "picture"):
            raise ModelError(f"sees={sees!r} is not one of hole, picture")
        self.sees, self.signed = sees, signed
        widths = [4, width, 2 * width, *4 * [4 * width]]
        self.convolutions = nn.ModuleList(
            spectral_norm(nn.Conv2d(a, b, 5, stride=2, padding=2)) for a, b in pairwise(widths)
        )

    def forward(self, candidate: Tensor, image: Tensor, mask: Tensor) -> Judgement:
        """Score the candidate's hole; see the class."""
        mask = (mask > 0.5).to(candidate.dtype)
        if self.signed:
            candidate = 2 * candidate - 1
        # Not a product: what a known pixel holds must not matter, not even NaN.
        hole = torch.where(mask > 0, candidate, torch.zeros_like(candidate))
        content = hole if self.sees == "hole" else candidate
        x = torch.cat([content, 1 - mask], dim=1)
        features = []
        for convolution in self.convolutions:
            x = F.leaky_relu(convolution(x), 0.2)
            features.append(x)
        return [Scale(features.pop(), features)]
