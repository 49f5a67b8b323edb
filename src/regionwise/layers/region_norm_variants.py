"""Region norms that no paper has: soft regions, and more regions than two.

RN-L cuts its response at a threshold, which no gradient passes: a layer whose responses all lie on
one side of it never learns regions. `RegionNormSoft` lets the response itself say how much a pixel
belongs to each region. RN-B has one region for the hole, however deep a pixel lies in it;
`RegionNormDistance` parts the hole by the distance from its border (K > 2 of the paper's eq. (8)).
"""

from __future__ import annotations

from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from regionwise.errors import ModelError
from regionwise.layers.region_norm import RegionNormLearnable, region_normalize


def soft_region_normalize(x: Tensor, members: Tensor, *, eps: float = 1e-5) -> Tensor:
    """Normalise by regions that a pixel may belong to in part: Σ_k m_k (x − μ_k) / σ_k.

    μ_k and σ_k are mean and deviation weighted by m_k, of each picture and channel. Where each
    pixel belongs to one region alone these are the paper's equations (9) to (12).

    Args:
        x: N×C×H×W.
        members: N×K×H×W, not negative, of sum 1 at each pixel.
        eps: added to the variances.

    Returns:
        N×C×H×W in x's type.
    """
    weights = members.float().flatten(2)
    flat = x.float().flatten(2)
    with torch.autocast(x.device.type if not x.is_meta else "cpu", enabled=False):
        flat = flat - flat.mean(dim=2, keepdim=True)  # so that no square is a large mean's
        count = weights.sum(dim=2).clamp(min=1).unsqueeze(1)
        mean = flat @ weights.mT / count
        mass = weights.sum(dim=2).unsqueeze(1) / count  # under 1 where a region is nearly empty
        square = flat.square() @ weights.mT / count
        variance = (square - (2 - mass) * mean.square()).clamp(min=0)
        scale = torch.rsqrt(variance + eps)
        answer = flat * (scale @ weights) - (mean * scale) @ weights
    return answer.view(x.shape).to(x.dtype)


class RegionNormSoft(RegionNormLearnable):
    """RN-L without its threshold: a pixel's response is its share of one region, the rest of two.

    Gradients reach the response through the statistics, too. Weights are those of RN-L.

    Shapes: x N×C×H×W → N×C×H×W; a mask given as second argument is ignored.
    """

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """Normalise x by the regions found in it."""
        response = self.spatial_response(x)
        gamma, beta = self.affine(response).split(1, dim=1)
        members = torch.cat([response, 1 - response], dim=1)
        answer: Tensor = soft_region_normalize(x, members, eps=self.eps) * (1 + gamma) + beta
        return answer


def distance_regions(mask: Tensor, count: int) -> Tensor:
    """The known region, and the hole parted by the distance from its border.

    The first part of the hole is up to 1 pixel deep, the second up to 3, then 7, and so on; the
    last one is all that is deeper. Distances are along the longer axis.

    Args:
        mask: N×1×H×W, 1 = missing.
        count: K of all regions, 2 or more.

    Returns:
        N×K×H×W of 0 and 1, one of the K set at each pixel; the known region first.
    """
    known = (mask <= 0.5).to(mask.dtype)
    reached = [known]
    for number in range(1, count - 1):
        radius = 2 ** (number - 1)  # more, than the one before reached
        reached.append(F.max_pool2d(reached[-1], 2 * radius + 1, stride=1, padding=radius))
    reached.append(torch.ones_like(known))
    parts = [after - before for before, after in pairwise(reached)]
    return torch.cat([known, *parts], dim=1)


class RegionNormDistance(nn.Module):
    """Region Normalization with the hole parted by depth; each part has its own γ and β.

    Args:
        channels: C.
        regions: K, the known one counted; 2 is RN-B.
        eps: added to the variances.

    Shapes: x N×C×H×W, mask N×1×h×w (1 = missing, resized by nearest neighbour) → N×C×H×W.

    Raises:
        ModelError: for fewer than two regions.
    """

    def __init__(self, channels: int, regions: int = 4, *, eps: float = 1e-5) -> None:
        super().__init__()
        if regions < 2:
            raise ModelError(f"regions={regions}: the known region and the hole are two")
        self.regions = regions
        self.eps = eps
        self.weight = nn.Parameter(torch.ones(regions, channels))
        self.bias = nn.Parameter(torch.zeros(regions, channels))

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """Normalise x by the depth in the hole."""
        hole = F.interpolate(mask.float(), size=x.shape[-2:], mode="nearest")
        regions = distance_regions(hole, self.regions).to(x.dtype)
        return region_normalize(x, regions, self.weight, self.bias, eps=self.eps)
