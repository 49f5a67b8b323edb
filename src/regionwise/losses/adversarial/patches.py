"""Which patches count.

A discriminator that scores patches sees the same known pixels in a real and in a filled picture.
With weights only those patches count that hold some of the hole; else the known ones, which no
one can tell apart, drown the rest.
"""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

from regionwise.losses.precision import at_least_float32


def hole_patches(mask: Tensor, scores: Tensor) -> Tensor:
    """1 for each patch whose middle part holds some of the hole, else 0.

    Args:
        mask: N×1×H×W, 1 = missing.
        scores: N×1×h×w, of the patches.
    """
    return F.adaptive_max_pool2d(mask, scores.shape[-2:])


def weighted_mean(values: Tensor, weight: Tensor | None) -> Tensor:
    """Σ weight · value / Σ weight, the mean if there are no weights, 0 if all of them are 0."""
    values = at_least_float32(values)
    if weight is None:
        return values.mean()
    weight = weight.to(values.dtype).expand_as(values)
    total = weight.sum()
    return (values * weight).sum() / total.where(total > 0, total.new_ones(()))
