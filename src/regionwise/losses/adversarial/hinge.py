"""The hinge loss (Lim and Ye, "Geometric GAN", 2017); DeepGIN's eq. (2) and (3) for each scale."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

from regionwise.losses.adversarial.adversarial_loss import PatchwiseLoss


class HingeLoss(PatchwiseLoss):
    """Discriminator: mean(max(0, 1 − real)) + mean(max(0, 1 + fake)); generator: −mean(fake)."""

    bounded = True

    def of_real(self, scores: Tensor) -> Tensor:
        """max(0, 1 − score)."""
        return F.relu(1 - scores)

    def of_fake(self, scores: Tensor) -> Tensor:
        """max(0, 1 + score)."""
        return F.relu(1 + scores)

    def of_generator(self, scores: Tensor) -> Tensor:
        """−score."""
        return -scores
