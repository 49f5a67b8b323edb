"""Sampling correctness (StructureFlow, Ren et al., ICCV 2019): is what a flow points to alike?"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from regionwise.errors import RecipeError
from regionwise.layers.appearance_flow import gaussian_sample
from regionwise.losses.precision import at_least_float32

_TAPS, _SIGMA = 4, 2.0
"""Of the Gaussian that fetches, as the network's finer one."""


def sampling_correctness(
    truth: Sequence[Tensor], photo: Sequence[Tensor], flow: Tensor, mask: Tensor
) -> Tensor:
    """Mean over the hole of exp(−similarity / greatest similarity): 1/e where the flow is best.

    Similarity is the cosine of the true features of a place and what the flow fetches for it from
    the photo with its hole. The greatest one is what the best place of the known region would give.

    Args:
        truth, photo: features of the true picture and of the photo with its hole: one layer of
            N×C×h×w each, of the flow's size.
        flow: N×2×h×w, to the right and down, in pixels of h×w.
        mask: N×1×H×W, 1 = missing.

    Raises:
        RecipeError: if the layer has another size than the flow.
    """
    (there,), (here,) = truth, photo
    if there.shape[-2:] != flow.shape[-2:]:
        size, other = ("×".join(map(str, x.shape[-2:])) for x in (there, flow))
        raise RecipeError(f"the features are {size}, the flow {other}: name a layer of its size")
    there, here = at_least_float32(there), at_least_float32(here)
    hole = F.interpolate(mask, size=flow.shape[-2:], mode="nearest").flatten(1)
    fetched = gaussian_sample(here, at_least_float32(flow), _TAPS, _SIGMA)
    similarity = F.cosine_similarity(there, fetched, dim=1).flatten(1)
    with torch.no_grad():
        wanted, known = (F.normalize(x, dim=1).flatten(2) for x in (there, here))
        products = wanted.mT @ known
        products.masked_fill_(hole.unsqueeze(1) > 0.5, -1)
        greatest = products.amax(dim=2).clamp(min=1e-3)
    errors = torch.exp(-similarity / greatest) * hole
    shares = hole.sum(dim=1).clamp(min=1)
    return (errors.sum(dim=1) / shares).mean()
