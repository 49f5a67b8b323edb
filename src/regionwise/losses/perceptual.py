"""Perceptual and style losses on the features of a frozen network (Johnson et al., ECCV 2016)."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor


def perceptual(answer: Sequence[Tensor], truth: Sequence[Tensor]) -> Tensor:
    """Mean over layers of the L1 distance between features.

    Args:
        answer, truth: the same layers' features, each N×C×H×W.
    """
    return torch.stack([F.l1_loss(a, t) for a, t in zip(answer, truth, strict=True)]).mean()


def gram(features: Tensor) -> Tensor:
    """Correlations of channels, F·Fᵀ/(C·H·W): N×C×H×W → N×C×C."""
    flat = features.flatten(2)
    return flat @ flat.transpose(1, 2) / (flat.shape[1] * flat.shape[2])


def style(answer: Sequence[Tensor], truth: Sequence[Tensor]) -> Tensor:
    """Mean over layers of the L1 distance between Gram matrices.

    Args:
        answer, truth: the same layers' features, each N×C×H×W.
    """
    distances = [F.l1_loss(gram(a), gram(t)) for a, t in zip(answer, truth, strict=True)]
    return torch.stack(distances).mean()
