"""Adversarial losses by name; imports without torch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from regionwise.recipe.named import create_named

if TYPE_CHECKING:
    from regionwise.losses.adversarial.adversarial_loss import AdversarialLoss

ADVERSARIAL_LOSSES = {
    "hinge": "regionwise.losses.adversarial.hinge:HingeLoss",
    "non-saturating": "regionwise.losses.adversarial.non_saturating:NonSaturatingLoss",
    "least-squares": "regionwise.losses.adversarial.least_squares:LeastSquaresLoss",
    "wasserstein": "regionwise.losses.adversarial.wasserstein:WassersteinLoss",
    "region-wise": "regionwise.losses.adversarial.region_wise:RegionWiseLoss",
    "region-wise-released": (
        "regionwise.losses.adversarial.region_wise_released:RegionWiseReleasedLoss"
    ),
    "soft-mask": "regionwise.losses.adversarial.soft_mask:SoftMaskLoss",
}


def create_adversarial_loss(name: str, options: Mapping[str, Any]) -> AdversarialLoss:
    """An adversarial loss with its options.

    Raises:
        RecipeError: for an unknown name or option.
        ModelError: for an option's value that its class refuses.
    """
    loss: AdversarialLoss = create_named("adversarial loss", ADVERSARIAL_LOSSES, name, options)
    return loss
