"""The discriminator, whatever it looks at, and the game it plays with the generator."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import torch
from torch import Tensor, nn

from regionwise.discriminators.discriminators import (
    ConditionalMultiScaleDiscriminator,
    PatchDiscriminator,
    RegionWiseDiscriminator,
)
from regionwise.discriminators.local_global import LocalGlobalCritics, LocalGlobalDiscriminator
from regionwise.errors import RecipeError
from regionwise.layers.canny import gray
from regionwise.losses import adversarial
from regionwise.losses.feature_matching import multi_scale_feature_matching
from regionwise.recipe.losses import FeatureMatchingTerm
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
        "local-global": LocalGlobalDiscriminator,
        "local-global-critics": LocalGlobalCritics,
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
            candidates: filled or true pictures, each N×3×H×W, or guides, N×1×H×W.
        """
        count = len(candidates)
        seen = torch.cat(list(candidates))
        if self.section.name == "patch":
            if self.section.beside == "gray":
                seen = torch.cat([seen, gray(image).repeat(count, 1, 1, 1)], dim=1)
            judged = [network(seen)]
        elif self.section.name in ("region-wise", "local-global"):
            judged = [network(seen, mask.repeat(count, 1, 1, 1))]
        elif self.section.name == "local-global-critics":
            judged = network(seen, mask.repeat(count, 1, 1, 1))
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
        """What the discriminator lowers, over all scales and fakes, without a gradient penalty."""
        lowered = self._discriminator_side(len(fakes))
        return torch.stack(
            [
                lowered(r, f, self._weight(mask, r))
                for fake in fakes
                for (r, _), (f, _) in zip(real, fake, strict=True)
            ]
        ).sum()

    def generator_loss(self, fake: Judgement, mask: Tensor) -> Tensor:
        """What the generator lowers, over all scales."""
        lowered = {
            "hinge": adversarial.hinge_generator,
            "non-saturating": adversarial.non_saturating_generator,
            "least-squares": adversarial.least_squares_generator,
            "wasserstein": adversarial.wasserstein_generator,
            "region-wise": adversarial.region_wise_generator,
            "region-wise-released": adversarial.region_wise_released_generator,
            "soft-mask": adversarial.soft_mask_generator,
        }[self.section.loss]
        return torch.stack([lowered(f, self._weight(mask, f)) for f, _ in fake]).sum()  # type: ignore[operator]

    def gradient_penalty(
        self,
        network: nn.Module,
        image: Tensor,
        mask: Tensor,
        truth: Tensor,
        fakes: Sequence[Tensor],
        scales: int,
    ) -> Tensor:
        """The weighted penalty of the Wasserstein game, of each fake and each scale by itself.

        `truth` is what the fakes pretend to be: `image`, or the true guide.
        """
        region = mask if self.section.penalty_in == "hole" else None

        def scores_of(picture: Tensor, scale: int) -> Tensor:
            (judgement,) = self.judge(network, image, mask, [picture])
            return judgement[scale][0]

        penalties = [
            adversarial.gradient_penalty(partial(scores_of, scale=scale), truth, fake, region)
            for fake in fakes
            for scale in range(scales)
        ]
        return self.section.gradient_penalty * torch.stack(penalties).sum()

    def feature_distance(
        self, term: FeatureMatchingTerm, fake: Judgement, real: Judgement
    ) -> Tensor:
        """How far the discriminator's features of two pictures are apart, over all scales."""

        def maps(judgement: Judgement) -> list[list[Tensor]]:
            return [[*f, scores] if term.scores else f for scores, f in judgement]

        return multi_scale_feature_matching(maps(fake), maps(real), layers=term.layers)

    def _discriminator_side(self, fakes: int) -> Callable[[Tensor, Tensor, Tensor | None], Tensor]:
        """The loss for one of several fakes."""
        alpha = self.section.real_weight / fakes  # the true picture counts once for all fakes
        sides: dict[str, Callable[..., Tensor]] = {
            "hinge": adversarial.hinge_discriminator,
            "non-saturating": adversarial.non_saturating_discriminator,
            "least-squares": adversarial.least_squares_discriminator,
            "wasserstein": adversarial.wasserstein_discriminator,
            "region-wise": partial(adversarial.region_wise_discriminator, real_weight=alpha),
            "region-wise-released": partial(
                adversarial.region_wise_released_discriminator, real_weight=alpha
            ),
            "soft-mask": adversarial.soft_mask_discriminator,
        }
        return sides[self.section.loss]

    def _weight(self, mask: Tensor, scores: Tensor) -> Tensor | None:
        """Weights of patches whose sum is 1 in each picture; None if all count alike.

        So the mean over a batch is the mean over its pictures, however it is cut into parts. The
        released Region-wise game takes the patches of the hole as labels, AOT-GAN's the mask.
        """
        if self.section.loss == "soft-mask":
            return mask
        if self.section.loss == "region-wise-released":
            return adversarial.hole_patches(mask, scores)
        if self.section.scores == "all":
            return None
        weight = adversarial.hole_patches(mask, scores).expand_as(scores)
        return weight / weight.sum(dim=(1, 2, 3), keepdim=True).clamp(min=1)
