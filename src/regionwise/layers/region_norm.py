"""Region Normalization (Yu et al., AAAI 2020): known and missing pixels are normalised apart.

`region_normalize` is equations (8) to (12) for any number of regions. `RegionNormBasic` (RN-B,
section 3.2) takes its two regions from the hole mask, `RegionNormLearnable` (RN-L, section 3.3)
finds them itself. Three things differ between paper and released code; all can be had:

- Statistics: per picture and channel in the paper ("instance"); over the batch too in the released
  code ("batch", without running averages, so the answer for one photo depends on its neighbours).
  The paper's other styles (end of section 3.1) are over all channels of a picture ("layer"), or
  over groups of them ("group").
- Affine of RN-B: a (γ, β) for each region in the paper ("region"); in the released code γ acts in
  its region and both β act everywhere ("released").
- ε: added to a region's variance in the paper (eq. 10); divided by the region's share of the pixels
  first in the released code (`eps_by_share`). In a hole of 0.4 % of the pixels, with features of
  std 0.01, the normalised std is 0.97 by eq. (10), and 0.20 as released.
"""

from __future__ import annotations

from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from regionwise.errors import ModelError
from regionwise.layers.region_norm_kernel import RegionNormFunction

Statistics = Literal["instance", "batch", "layer", "group"]
Affine = Literal["region", "released"]


def region_normalize(
    x: Tensor,
    regions: Tensor,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    gamma: Tensor | None = None,
    beta: Tensor | None = None,
    *,
    statistics: Statistics = "instance",
    groups: int = 32,
    eps: float = 1e-5,
    eps_by_share: bool = False,
) -> Tensor:
    """Normalise each region of each channel (eq. 8-12), then apply the affine maps.

    With x̂ the normalised x, the answer is (x̂ · weight + bias) · (1 + gamma) + beta.

    Args:
        x: N×C×H×W.
        regions: N×K×H×W of 0 and 1, exactly one of the K set at each pixel. K = 1 (all ones) is
            instance normalisation.
        weight, bias: of each region and channel, K×C; 1 and 0 if not given.
        gamma, beta: of each pixel, N×1×H×W; 0 if not given.
        statistics: "instance" as in the paper, "batch" as in the released code, "layer", "group".
        groups: into how many the channels fall for "group", evenly; 32 as in Wu and He 2018.
        eps: added to the variance (eq. 10).
        eps_by_share: divide ε by the region's share of the pixels, as the released code does in
            effect: it fills the outside with the region's mean and normalises the whole.

    Returns:
        N×C×H×W in x's type; in channels-last layout on the CPU.

    Raises:
        ModelError: if the channels don't fall into so many groups.
    """
    if statistics in ("layer", "group"):
        groups = groups if statistics == "group" else 1
        return _over_channels(x, regions, weight, bias, gamma, beta, groups, eps, eps_by_share)
    channels, count = x.shape[1], regions.shape[1]
    wide = torch.promote_types(x.dtype, torch.float32)
    if x.device.type != "cpu" or torch.compiler.is_compiling():
        device = "cpu" if x.is_meta else x.device.type  # there is no autocast of shapes alone
        with torch.autocast(device, enabled=False):
            return _by_products(
                x, regions.to(wide), weight, bias, gamma, beta, statistics, eps, eps_by_share
            )
    weight = x.new_ones(count, channels, dtype=wide) if weight is None else weight.to(wide)
    bias = x.new_zeros(count, channels, dtype=wide) if bias is None else bias.to(wide)
    return _blockwise(x, regions, weight, bias, gamma, beta, statistics, eps, eps_by_share)


def _over_channels(
    x: Tensor,
    regions: Tensor,
    weight: Tensor | None,
    bias: Tensor | None,
    gamma: Tensor | None,
    beta: Tensor | None,
    groups: int,
    eps: float,
    eps_by_share: bool,
) -> Tensor:
    """Statistics over groups of channels too: a group is one channel of a tall picture."""
    batch, channels, height, width = x.shape
    if channels % groups:
        raise ModelError(f"{channels} channels don't fall into {groups} equal groups")
    tall = x.reshape(batch * groups, 1, channels // groups * height, width)
    members = regions.to(torch.promote_types(x.dtype, torch.float32))
    stacked = members.repeat_interleave(groups, dim=0).repeat(1, 1, channels // groups, 1)
    normal = region_normalize(tall, stacked, eps=eps, eps_by_share=eps_by_share)
    answer = normal.reshape(x.shape).to(members.dtype)
    if weight is not None:
        answer = answer * torch.einsum("nkhw,kc->nchw", members, weight.to(members.dtype))
    if bias is not None:
        answer = answer + torch.einsum("nkhw,kc->nchw", members, bias.to(members.dtype))
    if gamma is not None:
        answer = answer * (1 + gamma)
    return (answer if beta is None else answer + beta).to(x.dtype)


def _by_products(
    x: Tensor,
    regions: Tensor,
    weight: Tensor | None,
    bias: Tensor | None,
    gamma: Tensor | None,
    beta: Tensor | None,
    statistics: Statistics,
    eps: float,
    eps_by_share: bool,
) -> Tensor:
    """The same by plain operations, for GPUs, compilers and exporters.

    Sums over regions are products of the features, C×pixels, with the regions, K×pixels, and so is
    what spreads a number for each region over its pixels: no tensor has K times x's size.
    """
    members = regions.flatten(2)
    flat = x.to(members.dtype).flatten(2)

    def regional_mean(values: Tensor) -> Tensor:
        total = values @ members.mT
        return (total.sum(dim=0, keepdim=True) if statistics == "batch" else total) / count

    count = members.sum(dim=2).unsqueeze(1)
    pixels = members.shape[2]
    if statistics == "batch":
        count, pixels = count.sum(dim=0, keepdim=True), pixels * members.shape[0]
    count = count.clamp(min=1)
    centred = flat - regional_mean(flat) @ members
    variance = regional_mean(centred.square())
    scale = torch.rsqrt(variance + (eps * pixels / count if eps_by_share else eps))
    scale = scale if weight is None else scale * weight.to(members.dtype).mT
    factors = members if gamma is None else members * (1 + gamma.to(members.dtype).flatten(2))
    answer = centred * (scale @ factors)
    if bias is not None:
        answer = answer + bias.to(members.dtype).mT @ factors
    if beta is not None:
        answer = answer + beta.to(members.dtype).flatten(2)
    return answer.view(x.shape).to(x.dtype)


def _blockwise(
    x: Tensor,
    regions: Tensor,
    weight: Tensor,
    bias: Tensor,
    gamma: Tensor | None,
    beta: Tensor | None,
    statistics: Statistics,
    eps: float,
    eps_by_share: bool,
) -> Tensor:
    """The same by `RegionNormFunction`: on a CPU faster than the compiler's fusion, and lean."""
    batch, channels, height, width = x.shape
    groups = 1 if statistics == "batch" else batch

    def rows(map_: Tensor) -> Tensor:
        flat = map_.permute(0, 2, 3, 1).reshape(groups, -1, map_.shape[1])
        return flat.contiguous()

    def wide_rows(map_: Tensor | None) -> Tensor | None:
        return None if map_ is None else rows(map_.to(weight.dtype))

    members = rows(regions.to(weight.dtype))
    share = members.double().sum(dim=1).clamp(min=1).unsqueeze(2) / members.shape[1]
    with torch.autocast("cpu", enabled=False):
        answer: Tensor = RegionNormFunction.apply(  # type: ignore[no-untyped-call]
            rows(x),
            members,
            weight,
            bias,
            wide_rows(gamma),
            wide_rows(beta),
            eps / share if eps_by_share else torch.full_like(share, eps),
        )
    return answer.view(batch, height, width, channels).permute(0, 3, 1, 2)


class RegionNorm(nn.Module):
    """Region Normalization with K given regions, each with its own γ and β (section 3.1).

    Shapes: x N×C×H×W, regions N×K×H×W (one-hot) → N×C×H×W.
    """

    def __init__(
        self,
        channels: int,
        regions: int = 2,
        *,
        statistics: Statistics = "instance",
        groups: int = 32,
        eps: float = 1e-5,
    ) -> None:
        super().__init__()
        self.statistics: Statistics = statistics
        self.groups = groups
        self.eps = eps
        self.weight = nn.Parameter(torch.ones(regions, channels))
        self.bias = nn.Parameter(torch.zeros(regions, channels))

    def forward(self, x: Tensor, regions: Tensor) -> Tensor:
        """Normalise x by regions."""
        return region_normalize(
            x,
            regions,
            self.weight,
            self.bias,
            statistics=self.statistics,
            groups=self.groups,
            eps=self.eps,
        )


class RegionNormBasic(nn.Module):
    """RN-B: normalises the known region and the hole apart, by the hole mask (section 3.2).

    Args:
        channels: C.
        statistics: "instance" (paper) or "batch" (released code).
        affine: "region", each region has its own γ and β (paper); "released", γ acts in its region
            and both β act everywhere.
        groups, eps, eps_by_share: see `region_normalize`.

    Shapes: x N×C×H×W, mask N×1×h×w (1 = missing, resized by nearest neighbour) → N×C×H×W.
    Row 0 of `weight` and `bias` belongs to the known region, row 1 to the hole.
    """

    def __init__(
        self,
        channels: int,
        *,
        statistics: Statistics = "instance",
        affine: Affine = "region",
        groups: int = 32,
        eps: float = 1e-5,
        eps_by_share: bool = False,
    ) -> None:
        super().__init__()
        self.statistics: Statistics = statistics
        self.affine = affine
        self.groups = groups
        self.eps = eps
        self.eps_by_share = eps_by_share
        self.weight = nn.Parameter(torch.ones(2, channels))
        self.bias = nn.Parameter(torch.zeros(2, channels))

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """Normalise x by the hole mask."""
        hole = F.interpolate(mask.float(), size=x.shape[-2:], mode="nearest").to(x.dtype)
        bias: Tensor = self.bias
        if self.affine == "released":
            bias = bias.sum(dim=0, keepdim=True).expand_as(bias)
        return region_normalize(
            x,
            torch.cat([1 - hole, hole], dim=1),
            self.weight,
            bias,
            statistics=self.statistics,
            groups=self.groups,
            eps=self.eps,
            eps_by_share=self.eps_by_share,
        )


class RegionNormLearnable(nn.Module):
    """RN-L: finds the regions itself and mixes them by a pixel-wise affine map (section 3.3).

    The response is sigmoid(conv([mean, max] over channels)) (eq. 14; the released order of the two
    maps), the region mask is response ≥ threshold (eq. 15; the paper writes >), γ and β are
    convolutions of the response (eq. 16). The output is x̂·(1 + γ) + β, as released; the paper
    leaves the 1 open. No gradient flows through the threshold.

    The paper says that "thresholding is only performed in the inference stage" (3.3); its released
    code thresholds in training too, and so does this.

    The threshold makes the layer discontinuous: a pixel whose response lies within rounding of it
    may fall on either side on another machine.

    Args:
        channels: unused by the weights (γ and β have one channel), kept for the norms' common form.
        threshold: t of eq. (15).
        statistics: "instance" (paper) or "batch" (released code).
        groups, eps, eps_by_share: see `region_normalize`.

    Shapes: x N×C×H×W → N×C×H×W; a mask given as second argument is ignored.
    """

    def __init__(
        self,
        channels: int,
        *,
        threshold: float = 0.8,
        statistics: Statistics = "instance",
        groups: int = 32,
        eps: float = 1e-5,
        eps_by_share: bool = False,
    ) -> None:
        super().__init__()
        del channels
        self.statistics: Statistics = statistics
        self.threshold = threshold
        self.groups = groups
        self.eps = eps
        self.eps_by_share = eps_by_share
        self.response = nn.Conv2d(2, 1, kernel_size=7, padding=3, bias=False)
        self.affine = nn.Conv2d(1, 2, kernel_size=7, padding=3)

    def spatial_response(self, x: Tensor) -> Tensor:
        """The map of eq. (14), N×1×H×W in (0, 1)."""
        pooled = torch.cat([x.mean(dim=1, keepdim=True), x.amax(dim=1, keepdim=True)], dim=1)
        return torch.sigmoid(self.response(pooled))

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """Normalise x by the regions found in it."""
        response = self.spatial_response(x)
        region = (response.detach() >= self.threshold).to(x.dtype)
        gamma, beta = self.affine(response).split(1, dim=1)
        return region_normalize(
            x,
            torch.cat([region, 1 - region], dim=1),
            gamma=gamma,
            beta=beta,
            statistics=self.statistics,
            groups=self.groups,
            eps=self.eps,
            eps_by_share=self.eps_by_share,
        )


def apply_norm(norm: nn.Module, x: Tensor, mask: Tensor) -> Tensor:
    """Normalise x in any way: the norms of this file are given the hole mask, others need none."""
    region = isinstance(norm, RegionNormBasic | RegionNormLearnable)
    y: Tensor = norm(x, mask) if region else norm(x)
    return y
