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
    fake: Sequence[tuple[Tensor, Sequence[Tensor]]],
    real: Sequence[tuple[Tensor, Sequence[Tensor]]],
    *,
    layers: Literal["mean", "sum"] = "mean",
    scores: bool = False,
) -> Tensor:
    """Sum over a discriminator's scales (pix2pixHD) of the above.

    Args:
        fake, real: of each scale the scores, and the features before them.
        layers: see above.
        scores: whether the scores count as a layer.
    """
    distances = []
    for (fake_scores, fake_features), (real_scores, real_features) in zip(fake, real, strict=True):
        fakes = [*fake_features, fake_scores] if scores else fake_features
        reals = [*real_features, real_scores] if scores else real_features
        distances.append(feature_matching(fakes, reals, layers=layers))
    return torch.stack(distances).sum()
