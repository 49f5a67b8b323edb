"""Features that a discriminator sees in the filled picture shall be those of the real one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from regionwise.losses.precision import at_least_float32


def feature_matching(
    fake: Sequence[Tensor], real: Sequence[Tensor], *, layers: Literal["mean", "sum"] = "mean"
) -> Tensor:
    """Mean or sum over layers of the mean |fake − real| (Wang et al., pix2pixHD, CVPR 2018).

    The paper sums the layers, as do EdgeConnect and its code, whose layers are five: all
    maps of the discriminator, the scores too. The mean keeps the weight whatever the depth.

    Args:
        fake, real: the same layers' features, each N×C×H×W; the real ones get no gradient.
        layers: how the layers are put together.
    """
    pairs = zip(fake, real, strict=True)
    distances = torch.stack(
        [F.l1_loss(at_least_float32(f), at_least_float32(r.detach())) for f, r in pairs]
    )
    return distances.mean() if layers == "mean" else distances.sum()


def multi_scale_feature_matching(
    fake: Sequence[Sequence[Tensor]],
    real: Sequence[Sequence[Tensor]],
    *,
    layers: Literal["mean", "sum"] = "mean",
) -> Tensor:
    """Sum over a discriminator's scales (pix2pixHD); each is a list of layers as above."""
    scales = zip(fake, real, strict=True)
    return torch.stack([feature_matching(f, r, layers=layers) for f, r in scales]).sum()
