"""Least squares (Mao et al., "LSGAN", ICCV 2017, eq. 2 with a = 0, b = c = 1)."""

from __future__ import annotations

from torch import Tensor

from regionwise.losses.adversarial.adversarial_loss import PatchwiseLoss


class LeastSquaresLoss(PatchwiseLoss):
    """Discriminator: ½ mean((real − 1)²) + ½ mean(fake²); generator: ½ mean((fake − 1)²).

    Many codes leave the ½ out (PIC, StructureFlow, AOT-GAN): their weights are half as large here.
    """

    bounded = True

    def of_real(self, scores: Tensor) -> Tensor:
        """½ (score − 1)²."""
        return (scores - 1).square() / 2

    def of_fake(self, scores: Tensor) -> Tensor:
        """½ score²."""
        return scores.square() / 2

    def of_generator(self, scores: Tensor) -> Tensor:
        """½ (score − 1)²."""
        return (scores - 1).square() / 2
