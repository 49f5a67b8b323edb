"""AOT-GAN's adversarial loss (Zeng et al., TVCG 2022, section 3.2): labels as soft as the mask."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from regionwise.losses.adversarial.adversarial_loss import AdversarialLoss
from regionwise.losses.precision import at_least_float32


class SoftMaskLoss(AdversarialLoss):
    """A patch is as false as it is missing.

    The discriminator is to say 1 of true pictures; of a filled one 1 where it is known, 0 where it
    was missing, and something between along the hole, whose mask is made soft by a Gaussian. The
    generator is to hear 1 in the hole. Squares are compared, without the ½ of least squares.

    The released code turns the discriminator's labels round (hole 1, real 0), while its generator
    still aims at 1: this is the paper's.
    """

    bounded = False

    def generator(self, fake: Tensor, mask: Tensor) -> Tensor:
        """mean((fake − 1)² · m), m the mask at the scores' size, by nearest neighbours."""
        fake = at_least_float32(fake)
        small = F.interpolate(mask.to(fake.dtype), fake.shape[-2:], mode="nearest")
        return ((fake - 1).square() * small).mean()

    def discriminator(self, real: Tensor, fakes: Sequence[Tensor], mask: Tensor) -> Tensor:
        """mean((real − 1)²) + mean((fake − (1 − soft mask))²), a sum over filled pictures."""
        label = 1 - soft_mask(mask, real)
        total = len(fakes) * (at_least_float32(real) - 1).square().mean()
        for fake in fakes:
            total = total + (at_least_float32(fake) - label).square().mean()
        return total


def soft_mask(mask: Tensor, scores: Tensor, *, size: int = 71, sigma: float = 10.0) -> Tensor:
    """The mask blurred, and made as small as the scores.

    Args:
        mask: N×1×H×W, 1 = missing.
        scores: N×1×h×w, of the patches.
        size: side of the Gaussian's window in pixels, odd; the released numbers.
        sigma: its standard deviation in pixels.

    Returns:
        N×1×h×w in [0, 1].
    """
    mask = at_least_float32(mask)
    places = torch.arange(size, device=mask.device, dtype=mask.dtype) - size // 2
    kernel = torch.exp(-places.square() / (2 * sigma**2))
    kernel = kernel / kernel.sum()
    # Beyond the border it goes on as at it, so that a picture all missing stays so.
    rows = F.pad(mask, (0, 0, size // 2, size // 2), mode="replicate")
    blurred = F.conv2d(rows, kernel.view(1, 1, -1, 1))
    columns = F.pad(blurred, (size // 2, size // 2, 0, 0), mode="replicate")
    blurred = F.conv2d(columns, kernel.view(1, 1, 1, -1))
    return F.interpolate(blurred, scores.shape[-2:], mode="bilinear", align_corners=False)
