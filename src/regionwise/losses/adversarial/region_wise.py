"""The Region-wise GAN's adversarial loss, eq. (6)."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from regionwise.losses.adversarial.adversarial_loss import Patches, PatchwiseLoss
from regionwise.losses.adversarial.patches import weighted_mean
from regionwise.losses.precision import at_least_float32


class RegionWiseLoss(PatchwiseLoss):
    """Eq. (6): L_a = α·E(D(true)) + E(1 − D(first)) + E(1 − D(second)).

    D sees the hole's content and the mask. The generator lowers L_a and "L_a is maximized only to
    guide the discriminator". D(true) gives the generator no gradient, so its side is the sum of
    1 − D over the filled pictures. The discriminator's has no lower bound: it must be held by
    spectral normalisation.

    Args:
        real_weight: α, 0.01 in section 3.5; the true picture counts once, however many are filled.
        patches: see `PatchwiseLoss`.
    """

    bounded = False

    def __init__(self, real_weight: float = 0.01, patches: Patches = "all") -> None:
        super().__init__(patches)
        self.real_weight = real_weight

    def of_real(self, scores: Tensor) -> Tensor:
        """−α·score."""
        return -self.real_weight * scores

    def of_fake(self, scores: Tensor) -> Tensor:
        """−(1 − score)."""
        return scores - 1

    def of_generator(self, scores: Tensor) -> Tensor:
        """1 − score."""
        return 1 - scores

    def discriminator(self, real: Tensor, fakes: Sequence[Tensor], mask: Tensor) -> Tensor:
        """−L_a; the true picture counts once."""
        once = weighted_mean(self.of_real(at_least_float32(real)), self._weight(mask, real))
        return super().discriminator(real, fakes, mask) - (len(fakes) - 1) * once
