"""Weights stored with spectral normalisation, as plain weights."""

from __future__ import annotations

from collections.abc import Mapping

import torch.nn.functional as F
from torch import Tensor


def plain_weight(weights: Mapping[str, Tensor], layer: str) -> Tensor:
    """W / (uᵀ·W·v) of a layer that PyTorch stored as `weight_orig`, `weight_u` and `weight_v`.

    Files of PyTorch before 1.0 lack v, which follows from u; some hold the plain `weight` itself.

    Args:
        weights: the state dict.
        layer: the name before `.weight_orig`.

    Raises:
        KeyError: if the layer is not there.
    """
    if f"{layer}.weight_orig" not in weights:
        return weights[f"{layer}.weight"]
    original, u = weights[f"{layer}.weight_orig"], weights[f"{layer}.weight_u"]
    # Rows are outputs, the second dimension of a transposed convolution's weights.
    matrix = original if original.shape[0] == u.numel() else original.transpose(0, 1)
    matrix = matrix.flatten(1)
    v = weights.get(f"{layer}.weight_v")
    if v is None:
        v = F.normalize(matrix.T @ u, dim=0)
    return original / (u @ matrix @ v)
