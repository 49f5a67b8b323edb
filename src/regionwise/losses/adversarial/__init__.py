"""Games between generator and discriminator, one a file.

Each has two functions that give a number to be lowered:

- `NAME_discriminator(real, fake, weight=None)`, of the scores of true and of filled pictures;
- `NAME_generator(fake, weight=None)`.

Scores are N×1×h×w of patches without activation, or of any shape N×…; `weight`, of the same shape
or one that broadcasts to it, says how much each patch counts (see `hole_patches`), and 1 if not
given. The games that compare with labels ("region-wise-released", "soft-mask") take those or the
mask instead. Half precision is computed in float32. With several scales or several filled pictures,
call for each and add up.
"""

from regionwise.losses.adversarial.hinge import hinge_discriminator, hinge_generator
from regionwise.losses.adversarial.least_squares import (
    least_squares_discriminator,
    least_squares_generator,
)
from regionwise.losses.adversarial.non_saturating import (
    non_saturating_discriminator,
    non_saturating_generator,
)
from regionwise.losses.adversarial.patches import hole_patches
from regionwise.losses.adversarial.region_wise import (
    region_wise_discriminator,
    region_wise_generator,
    region_wise_released_discriminator,
    region_wise_released_generator,
)
from regionwise.losses.adversarial.soft_mask import (
    soft_mask,
    soft_mask_discriminator,
    soft_mask_generator,
)
from regionwise.losses.adversarial.wasserstein import (
    gradient_penalty,
    wasserstein_discriminator,
    wasserstein_generator,
)

__all__ = [
    "gradient_penalty",
    "hinge_discriminator",
    "hinge_generator",
    "hole_patches",
    "least_squares_discriminator",
    "least_squares_generator",
    "non_saturating_discriminator",
    "non_saturating_generator",
    "region_wise_discriminator",
    "region_wise_generator",
    "region_wise_released_discriminator",
    "region_wise_released_generator",
    "soft_mask",
    "soft_mask_discriminator",
    "soft_mask_generator",
    "wasserstein_discriminator",
    "wasserstein_generator",
]
