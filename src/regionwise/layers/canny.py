"""Edges of the known region by Canny's detector, as EdgeConnect's first network is given them."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import Any

import numpy as np
import torch
from torch import Tensor

from regionwise.errors import ModelError

LUMA = (0.2125, 0.7154, 0.0721)
"""Weights of red, green and blue in the grey picture (ITU-R BT.709)."""


def gray(image: Tensor) -> Tensor:
    """N×3×H×W → N×1×H×W."""
    return (image * image.new_tensor(LUMA).view(1, 3, 1, 1)).sum(dim=1, keepdim=True)


@torch.no_grad()
def canny_edges(image: Tensor, mask: Tensor, *, sigma: float = 2.0) -> Tensor:
    """Canny's edges by scikit-image on the CPU, thresholds 0.1 and 0.2; none along the hole.

    Args:
        image: N×3×H×W in [0, 1]; what it holds in the hole doesn't matter.
        mask: N×1×H×W, 1 = missing.
        sigma: of the Gaussian that smooths the picture first, 2 in EdgeConnect.

    Returns:
        N×1×H×W of 0 and 1, in the image's type.

    Raises:
        ModelError: if scikit-image is not installed, or when the graph is exported: a library's
            edges are no part of it.
    """
    if torch.compiler.is_compiling():
        raise ModelError("edges by scikit-image can't be exported; fill with the PyTorch weights")
    if image.is_meta:  # shapes alone, to count what the network costs
        return torch.empty_like(mask)
    if find_spec("skimage") is None:
        raise ModelError("EdgeConnect finds edges with scikit-image; pip install scikit-image")
    find: Any = import_module("skimage.feature").canny

    # Double precision: a threshold stands between an edge and none.
    grays = gray(image.double()).cpu().numpy()[:, 0]
    known = (mask <= 0.5).cpu().numpy()[:, 0]
    edges = [
        find(np.where(k, g, 0), sigma, low_threshold=0.1, high_threshold=0.2, mask=k)
        for g, k in zip(grays, known, strict=True)
    ]
    return torch.from_numpy(np.stack(edges)).unsqueeze(1).to(image)
