"""Perceptual and style losses on the features of a frozen network (Johnson et al., ECCV 2016).

Which network, layers and pictures (the raw answer, the composed one, both) is the caller's choice:

| paper | network and layers | pictures |
|---|---|---|
| MADF eq. (4), (5); PConv | VGG16 pool1, pool2, pool3 | raw + composed |
| EdgeConnect, RN: perceptual | VGG19 relu1_1, 2_1, 3_1, 4_1, 5_1; plain [0, 1] as released | raw |
| EdgeConnect, RN: style | VGG19 relu2_2, 3_4, 4_4, 5_2; plain [0, 1] as released | × the mask |
| Region-wise eq. (5) (style only) | VGG16 pool1, pool2, pool3 of 224 px as released | composed |
| DeepGIN eq. (4), (5) | VGG19 conv1_1, 2_1, 3_1, 4_1, 5_1 | raw + composed |

The papers add layers up. DeepGIN as released weighs the perceptual ones 1/32, 1/16, 1/8, 1/4, 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from regionwise.losses.precision import at_least_float32

Distance = Literal["mean_absolute", "mean_squared", "sum_absolute"]


def perceptual(
    answer: Sequence[Tensor], truth: Sequence[Tensor], weights: Sequence[float] | None = None
) -> Tensor:
    """Σ over layers of weight · mean |φ(answer) − φ(truth)|: MADF eq. (4), DeepGIN eq. (4).

    Args:
        answer, truth: the same layers' features, each N×C×H×W, each layer of its own size.
        weights: of the layers; 1 each if not given.
    """
    pairs = zip(answer, truth, strict=True)
    distances = [F.l1_loss(at_least_float32(a), at_least_float32(t)) for a, t in pairs]
    return _weighted(distances, weights)


def gram(features: Tensor) -> Tensor:
    """Correlations of channels, F·Fᵀ/(C·H·W): N×C×H×W → N×C×C.

    The factor is K_p in MADF's eq. (5), and the same in EdgeConnect and DeepGIN's eq. (5). The sum
    over H·W is taken in float32 at least, also under autocast: it overflows half precision.
    """
    flat = at_least_float32(features).flatten(2)
    with torch.autocast(features.device.type, enabled=False):
        return flat @ flat.transpose(1, 2) / max(flat.shape[1] * flat.shape[2], 1)


def style(
    answer: Sequence[Tensor],
    truth: Sequence[Tensor],
    weights: Sequence[float] | None = None,
    *,
    distance: Distance = "mean_absolute",
) -> Tensor:
    """Σ over layers of weight · distance of Gram matrices.

    - "mean_absolute" is MADF's and DeepGIN's eq. (5), Σ|·|/(C·C), and EdgeConnect as released.
    - "mean_squared" is DeepGIN as released.
    - "sum_absolute" is Region-wise eq. (5) with the released δ = 1/(C·H·W): each picture's own sum,
      mean over the pictures (as released the sum runs over the batch too).

    Args:
        answer, truth: the same layers' features, each N×C×H×W, each layer of its own size.
        weights: of the layers; 1 each if not given.
        distance: of two matrices.
    """
    differences = [gram(a) - gram(t) for a, t in zip(answer, truth, strict=True)]
    return _weighted([_distance(d, distance) for d in differences], weights)


def _distance(difference: Tensor, distance: Distance) -> Tensor:
    if distance == "mean_squared":
        return difference.square().mean()
    if distance == "sum_absolute":
        return difference.abs().sum() / difference.shape[0]
    return difference.abs().mean()


def _weighted(distances: Sequence[Tensor], weights: Sequence[float] | None) -> Tensor:
    weights = [1.0] * len(distances) if weights is None else weights
    return torch.stack([w * d for w, d in zip(weights, distances, strict=True)]).sum()
