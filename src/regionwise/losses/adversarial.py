"""The hinge game between generator and discriminator (Lim and Ye 2017; used by DeepGIN).

A discriminator that scores patches sees the same known pixels in a real and in a filled picture.
With `weight` only those patches count that hold some of the hole; else the known ones, which no
one can tell apart, drown the rest.
"""

import torch.nn.functional as F
from torch import Tensor


def hinge_discriminator(real: Tensor, fake: Tensor, weight: Tensor | None = None) -> Tensor:
    """mean(max(0, 1 − real)) + mean(max(0, 1 + fake)) of the discriminator's scores.

    Args:
        real, fake: scores of patches, N×1×h×w.
        weight: of each patch, of the same shape; 1 if not given.
    """
    return _mean(F.relu(1 - real), weight) + _mean(F.relu(1 + fake), weight)


def hinge_generator(fake: Tensor, weight: Tensor | None = None) -> Tensor:
    """−mean(fake): what the generator lowers; arguments as above."""
    return -_mean(fake, weight)


def hole_patches(mask: Tensor, scores: Tensor) -> Tensor:
    """1 for each patch whose middle part holds some of the hole, else 0.

    Args:
        mask: N×1×H×W, 1 = missing.
        scores: N×1×h×w, of the patches.
    """
    return F.adaptive_max_pool2d(mask, scores.shape[-2:])


def _mean(x: Tensor, weight: Tensor | None) -> Tensor:
    if weight is None:
        return x.mean()
    return (x * weight).sum() / weight.sum().clamp(min=1)
