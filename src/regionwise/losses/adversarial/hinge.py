"""The hinge game (Lim and Ye, "Geometric GAN", 2017); DeepGIN's eq. (2) and (3) for each scale."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

from regionwise.losses.adversarial.patches import weighted_mean


def hinge_discriminator(real: Tensor, fake: Tensor, weight: Tensor | None = None) -> Tensor:
    """mean(max(0, 1 − real)) + mean(max(0, 1 + fake)); arguments as in the package."""
    return weighted_mean(F.relu(1 - real), weight) + weighted_mean(F.relu(1 + fake), weight)


def hinge_generator(fake: Tensor, weight: Tensor | None = None) -> Tensor:
    """−mean(fake)."""
    return -weighted_mean(fake, weight)
