"""The numbers of terms: from a recipe's words to the functions of `regionwise.losses`."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from regionwise.losses.perceptual import gram
from regionwise.recipe.losses import (
    CorrelationTerm,
    L1Term,
    L2Term,
    PerceptualTerm,
    StyleTerm,
    TotalVariationTerm,
)
from regionwise.training.features import Features
from regionwise.training.view import Compared


def pixel_value(term: L1Term | L2Term, compared: Compared, hole_share: float) -> Tensor:
    """Mean over pictures of a picture's sum over a region, divided as the term says.

    Args:
        term: which distance, where.
        compared: the pictures.
        hole_share: see `View`; a region counts as its mean share in the whole batch.
    """
    difference = compared.answer - compared.truth
    distance = difference.abs() if isinstance(term, L1Term) else difference.square()
    if term.region != "all":
        distance = distance * (compared.mask if term.region == "hole" else 1 - compared.mask)
    if term.over == "sum":
        return distance.sum() / len(distance)
    shares = {"hole": hole_share, "known": 1 - hole_share, "all": 1.0, "picture": 1.0}
    divisor = shares[term.region if term.over == "region" else term.over]
    return distance.mean() / max(divisor, 1e-9)


def variation_value(term: TotalVariationTerm, compared: Compared) -> Tensor:
    """Total variation of the answer."""
    raise NotImplementedError


def feature_value(
    term: PerceptualTerm | StyleTerm | CorrelationTerm, answer: Features, truth: Features
) -> Tensor:
    """Weighted sum over the term's layers."""
    layers = term.features.layers
    return torch.stack(
        [w * _layer_value(term, answer[layer], truth[layer]) for layer, w in layers.items()]
    ).sum()


def _layer_value(term: Any, answer: Tensor, truth: Tensor) -> Tensor:
    if isinstance(term, PerceptualTerm):
        return F.l1_loss(answer, truth)
    if isinstance(term, StyleTerm):
        difference = gram(answer) - gram(truth)
        if term.distance == "sum_absolute":
            return difference.abs().sum() / len(difference)
        squared = term.distance == "mean_squared"
        return (difference.square() if squared else difference.abs()).mean()
    raise NotImplementedError
