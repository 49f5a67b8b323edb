"""The first game (Goodfellow et al., NIPS 2014, eq. 1), with the generator's side turned round.

EdgeConnect and RN train with it. The scores are logits: the released networks end in a sigmoid and
take the binary cross-entropy, which is the same but loses digits far from 0.
"""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

from regionwise.losses.adversarial.patches import weighted_mean
from regionwise.losses.precision import at_least_float32


def non_saturating_discriminator(
    real: Tensor, fake: Tensor, weight: Tensor | None = None
) -> Tensor:
    """−mean(log σ(real)) − mean(log(1 − σ(fake))); arguments as in the package."""
    real, fake = at_least_float32(real), at_least_float32(fake)
    return weighted_mean(F.softplus(-real), weight) + weighted_mean(F.softplus(fake), weight)


def non_saturating_generator(fake: Tensor, weight: Tensor | None = None) -> Tensor:
    """−mean(log σ(fake)): it does not flatten where the discriminator is sure (section 3)."""
    return weighted_mean(F.softplus(-at_least_float32(fake)), weight)
