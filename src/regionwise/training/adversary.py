"""The discriminator, whatever it looks at, and the game it plays with the generator."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from regionwise.errors import RecipeError
from regionwise.losses.adversarial import hinge_discriminator, hinge_generator, hole_patches
from regionwise.losses.feature_matching import feature_matching
from regionwise.models.discriminators import (
    ConditionalMultiScaleDiscriminator,
    PatchDiscriminator,
    RegionWiseDiscriminator,
)
from regionwise.recipe.schema import DiscriminatorSection

Judgement = list[tuple[Tensor, list[Tensor]]]
"""Scores and the features before them, for each scale."""


def create_discriminator(section: DiscriminatorSection) -> nn.Module:
    """Build a discriminator with fresh weights.

    Raises:
        RecipeError: for an unknown option.
    """
    classes: dict[str, type[nn.Module]] = {
        "patch": PatchDiscriminator,
        "conditional": ConditionalMultiScaleDiscriminator,
        "region-wise": RegionWiseDiscriminator,
    }
    try:
        return classes[section.name](**section.options)
    except TypeError as error:
        raise RecipeError(f"discriminator.options: {error}") from error


class Adversary:
    """A discriminator's looks and losses.

    The network is given to each call, as it may be wrapped for several processes.
    """

    def __init__(self, section: DiscriminatorSection) -> None:
        self.section = section

    def judge(
        self, network: nn.Module, image: Tensor, mask: Tensor, candidates: Sequence[Tensor]
    ) -> list[Judgement]:
        """What the discriminator says of each of several pictures.

        Args:
            network: the discriminator.
            image: the true photos, N×3×H×W; of them it is shown no more than the paper says.
            mask: N×1×H×W.
            candidates: filled or true pictures, each N×3×H×W.
        """
        count = len(candidates)
        seen = torch.cat(list(candidates))
        masks = mask.repeat(count, 1, 1, 1)
        if self.section.name == "patch":
            judged = [network(seen)]
        elif self.section.name == "region-wise":
            judged = [network(seen, masks)]
        else:
            holed = torch.where(mask > 0.5, torch.ones_like(image), image)
            judged = network(holed.repeat(count, 1, 1, 1), seen)
        return [
            [
                (scores.float().chunk(count)[k], [f.float().chunk(count)[k] for f in features])
                for scores, features in judged
            ]
            for k in range(count)
        ]

    def discriminator_loss(
        self, real: Judgement, fakes: Sequence[Judgement], mask: Tensor
    ) -> Tensor:
        """What the discriminator lowers: over all scales and fakes."""
        return torch.stack(
            [
                hinge_discriminator(r, f, self._weight(mask, r))
                for fake in fakes
                for (r, _), (f, _) in zip(real, fake, strict=True)
            ]
        ).sum()

    def generator_loss(self, fake: Judgement, mask: Tensor) -> Tensor:
        """What the generator lowers: over all scales."""
        return torch.stack([hinge_generator(f, self._weight(mask, f)) for f, _ in fake]).sum()

    def feature_distance(self, fake: Judgement, real: Judgement) -> Tensor:
        """How far the discriminator's features of two pictures are apart, over all scales."""
        return torch.stack(
            [feature_matching(f, r) for (_, f), (_, r) in zip(fake, real, strict=True)]
        ).sum()

    def _weight(self, mask: Tensor, scores: Tensor) -> Tensor | None:
        """Weights of patches whose sum is 1 in each picture; None if all count alike.

        So the mean over a batch is the mean over its pictures, however it is cut into parts.
        """
        if self.section.scores == "all":
            return None
        weight = hole_patches(mask, scores).expand_as(scores)
        return weight / weight.sum(dim=(1, 2, 3), keepdim=True).clamp(min=1)
