"""The adversarial loss that the released Region-wise code has by default."""

from __future__ import annotations

from collections.abc import Sequence

import torch.nn.functional as F
from torch import Tensor

from regionwise.losses.adversarial.adversarial_loss import AdversarialLoss
from regionwise.losses.precision import at_least_float32


class RegionWiseReleasedLoss(AdversarialLoss):
    """Sums of |label − D| over all scores, each picture's own sum, mean over the pictures.

    The label of a true picture (for the generator: of a filled one) is the hole's mask at the
    scores' size: 1 in the hole and 0 outside, where D sees nothing. It is made small as released,
    by nearest neighbours with index ⌊i·H/h⌋. That a filled picture's label is 0 for the
    discriminator is our reading. The released sum runs over the batch too.

    Args:
        real_weight: α: the true picture counts once, however many are filled. 0.001 on the released
            command line, 0.01 in the paper.
    """

    bounded = True

    def __init__(self, real_weight: float = 0.001) -> None:
        self.real_weight = real_weight

    def generator(self, fake: Tensor, mask: Tensor) -> Tensor:
        """Σ|label − fake|."""
        return _distance(fake, self.label(mask, fake))

    def discriminator(self, real: Tensor, fakes: Sequence[Tensor], mask: Tensor) -> Tensor:
        """α·Σ|label − real| + Σ|fake| of each filled picture."""
        total = self.real_weight * _distance(real, self.label(mask, real))
        for fake in fakes:
            total = total + _distance(fake, 0 * fake)
        return total

    @staticmethod
    def label(mask: Tensor, scores: Tensor) -> Tensor:
        """The mask at the scores' size, N×1×h×w."""
        return F.interpolate(at_least_float32(mask), scores.shape[-2:], mode="nearest")


def _distance(scores: Tensor, label: Tensor) -> Tensor:
    scores = at_least_float32(scores)
    return (label.to(scores.dtype) - scores).abs().sum() / scores.shape[0]
