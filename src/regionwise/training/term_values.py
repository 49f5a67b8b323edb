"""The numbers of terms: from a recipe's words to the functions of `regionwise.losses`."""

from __future__ import annotations

import torch
from torch import Tensor

from regionwise.losses.correlation import correlation
from regionwise.losses.perceptual import perceptual, style
from regionwise.losses.reconstruction import discounted, l1, l2
from regionwise.losses.total_variation import total_variation
from regionwise.recipe.losses import (
    CorrelationTerm,
    FeatureTerm,
    L1Term,
    L2Term,
    PerceptualTerm,
    StyleTerm,
    TotalVariationTerm,
)
from regionwise.training.features import Features
from regionwise.training.view import Compared


def pixel_value(term: L1Term | L2Term, compared: Compared, hole_share: float) -> Tensor:
    """A distance of pixels; `hole_share` is the whole batch's, see `View`."""
    distance = l1 if isinstance(term, L1Term) else l2
    _, answer, truth, mask = compared
    return distance(
        answer,
        truth,
        mask,
        region=term.region,
        over=term.over,
        hole_share=hole_share,
        weight=None if term.discount == 1 else discounted(mask, term.discount),
    )


def variation_value(term: TotalVariationTerm, compared: Compared) -> Tensor:
    """Total variation of the answer."""
    _, answer, truth, mask = compared
    return total_variation(answer, truth, mask, region=term.region, power=term.power)


def feature_value(term: FeatureTerm, answer: Features, truth: Features) -> Tensor:
    """Weighted sum over the term's layers."""
    names, weights = list(term.features.layers), list(term.features.layers.values())
    one, other = [answer[name] for name in names], [truth[name] for name in names]
    if isinstance(term, PerceptualTerm):
        return perceptual(one, other, weights)
    if isinstance(term, StyleTerm):
        return style(one, other, weights, distance=term.distance)
    assert isinstance(term, CorrelationTerm)
    values = [w * correlation(a, t) for w, a, t in zip(weights, one, other, strict=True)]
    return torch.stack(values).sum()
