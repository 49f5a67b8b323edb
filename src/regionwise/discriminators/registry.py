"""Discriminators by name; imports without torch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from regionwise.recipe.named import create_named

if TYPE_CHECKING:
    from regionwise.discriminators.discriminator import Discriminator

DISCRIMINATORS = {
    "patch": "regionwise.discriminators.patch:PatchDiscriminator",
    "conditional": "regionwise.discriminators.conditional:ConditionalMultiScaleDiscriminator",
    "region-wise": "regionwise.discriminators.region_wise:RegionWiseDiscriminator",
    "local-global": "regionwise.discriminators.local_global:LocalGlobalDiscriminator",
    "local-global-critics": "regionwise.discriminators.local_global_critics:LocalGlobalCritics",
}


def create_discriminator(name: str, options: Mapping[str, Any]) -> Discriminator:
    """A discriminator with fresh weights.

    Raises:
        RecipeError: for an unknown name or option.
        ModelError: for an option's value that its class refuses.
    """
    discriminator: Discriminator = create_named("discriminator", DISCRIMINATORS, name, options)
    return discriminator
