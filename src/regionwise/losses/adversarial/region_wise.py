"""The Region-wise paper's game, eq. (6), and the one that its released code plays by default.

Eq. (6) is L_a = α·E(D(true)) + E(1 − D(first)) + E(1 − D(second)), D seeing the hole's content and
the mask. The generator lowers it and "L_a is maximized only to guide the discriminator". D(true)
gives the generator no gradient, so its side is the sum of 1 − D over the filled pictures.

The released code sums |label − D| over all scores, the label of a true (or, for the generator, a
filled) picture being the hole's mask resized to the scores: 1 in the hole and 0 outside, where D
sees nothing. That a filled picture's label is 0 for the discriminator is our reading.

The true term stands once beside both filled pictures: whoever adds up a call for each filled
picture gives each call its part of α.
"""

from __future__ import annotations

from torch import Tensor

from regionwise.losses.adversarial.patches import weighted_mean
from regionwise.losses.precision import at_least_float32


def region_wise_discriminator(
    real: Tensor, fake: Tensor, weight: Tensor | None = None, *, real_weight: float = 0.01
) -> Tensor:
    """−α·mean(real) − mean(1 − fake): eq. (6) for one filled picture, with the sign turned.

    It has no lower bound: the discriminator must be held by spectral normalisation.

    Args:
        real, fake, weight: as in the package.
        real_weight: α, 0.01 in section 3.5; 0.001 on the released command line.
    """
    fake = at_least_float32(fake)
    return -real_weight * weighted_mean(real, weight) - weighted_mean(1 - fake, weight)


def region_wise_generator(fake: Tensor, weight: Tensor | None = None) -> Tensor:
    """mean(1 − fake): eq. (6) for one filled picture."""
    return weighted_mean(1 - at_least_float32(fake), weight)


def region_wise_released_discriminator(
    real: Tensor, fake: Tensor, label: Tensor, *, real_weight: float = 0.01
) -> Tensor:
    """α·Σ|label − real| + Σ|fake|: each picture's own sum, mean over the pictures.

    The released sum runs over the batch too.

    Args:
        real, fake: scores, N×C×h×w.
        label: the hole's mask at the scores' size, N×1×h×w; `hole_patches` or nearest neighbours.
        real_weight: α.
    """
    return real_weight * _distance(real, label) + _distance(fake, 0 * label)


def region_wise_released_generator(fake: Tensor, label: Tensor) -> Tensor:
    """Σ|label − fake|: each picture's own sum, mean over the pictures; arguments as above."""
    return _distance(fake, label)


def _distance(scores: Tensor, label: Tensor) -> Tensor:
    scores = at_least_float32(scores)
    return (label.to(scores.dtype) - scores).abs().sum() / scores.shape[0]
