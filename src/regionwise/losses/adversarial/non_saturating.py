"""The first adversarial loss (Goodfellow et al., NIPS 2014, eq. 1), not saturating."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

from regionwise.losses.adversarial.adversarial_loss import PatchwiseLoss


class NonSaturatingLoss(PatchwiseLoss):
    """−mean(log σ(real)) − mean(log(1 − σ(fake))); the generator's: −mean(log σ(fake)).

    That side is turned round: it does not flatten where the discriminator is sure (section 3).
    EdgeConnect and RN train so. The scores are logits: the released networks end in a sigmoid and
    take the binary cross-entropy, which is the same but loses digits far from 0.
    """

    bounded = True

    def of_real(self, scores: Tensor) -> Tensor:
        """−log σ(score)."""
        return F.softplus(-scores)

    def of_fake(self, scores: Tensor) -> Tensor:
        """−log(1 − σ(score))."""
        return F.softplus(scores)

    def of_generator(self, scores: Tensor) -> Tensor:
        """−log σ(score)."""
        return F.softplus(-scores)
