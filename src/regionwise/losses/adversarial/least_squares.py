"""The game of least squares (Mao et al., "LSGAN", ICCV 2017, eq. 2 with a = 0, b = c = 1).

Many codes leave the ½ out (PIC, StructureFlow, AOT-GAN): their weights are half as large here.
"""

from __future__ import annotations

from torch import Tensor

from regionwise.losses.adversarial.patches import weighted_mean
from regionwise.losses.precision import at_least_float32


def least_squares_discriminator(real: Tensor, fake: Tensor, weight: Tensor | None = None) -> Tensor:
    """½ mean((real − 1)²) + ½ mean(fake²); arguments as in the package."""
    real, fake = at_least_float32(real), at_least_float32(fake)
    halves = weighted_mean((real - 1).square(), weight) + weighted_mean(fake.square(), weight)
    return halves / 2


def least_squares_generator(fake: Tensor, weight: Tensor | None = None) -> Tensor:
    """½ mean((fake − 1)²)."""
    return weighted_mean((at_least_float32(fake) - 1).square(), weight) / 2
