"""How far the pixels of a picture are from the true ones.

The papers take the same distances and divide them by different numbers, which `over` names:

| paper | call |
|---|---|
| MADF eq. (2), (3); PConv | `l1(…, region="hole")`, `l1(…, region="known")`: over all pixels |
| RN as released | `l1(…, over="hole")` of the raw picture, as EdgeConnect |
| EdgeConnect as released | `l1(…, over="hole")`: the mean of all, divided by the hole's share |
| DeepFill v1 | `l1(…, region="hole", over="region", discount=γ)` |
| Region-wise eq. (3), GAN eq. (2) | `l1(…, over="sum")`; as released it sums over the batch too |
| DeepGIN eq. (1) | sums over a region; what divides them is not told |
"""

from __future__ import annotations

from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from regionwise.losses.precision import at_least_float32

Region = Literal["hole", "known", "all"]
Over = Literal["picture", "region", "hole", "sum"]


def l1(
    answer: Tensor,
    truth: Tensor,
    mask: Tensor,
    *,
    region: Region = "all",
    over: Over = "picture",
    hole_share: float | Tensor | None = None,
    discount: float = 1.0,
) -> Tensor:
    """Σ |answer − truth| over the pixels of a region, divided as `over` says.

    Args:
        answer, truth: N×C×H×W; half precision is summed in float32.
        mask: N×1×H×W, 1 = missing.
        region: which pixels count.
        over: the sum is divided by the number of values in the batch ("picture"), in the region or
            in the hole; "sum" is each picture's own sum, mean over the pictures.
        hole_share: by which "region" and "hole" divide: the mean of `mask` if not given. To cut a
            batch into parts whose mean is the batch's, give each part the whole batch's share.
        discount: what a missing pixel counts in the sum (not in what divides it), to the power of
            its distance from the known region, see `discounted`.

    Returns:
        A number. A region without pixels costs 0.
    """
    difference = at_least_float32(answer) - at_least_float32(truth)
    return _over(difference.abs(), mask, region, over, hole_share, discount)


def l2(
    answer: Tensor,
    truth: Tensor,
    mask: Tensor,
    *,
    region: Region = "all",
    over: Over = "picture",
    hole_share: float | Tensor | None = None,
    discount: float = 1.0,
) -> Tensor:
    """Σ (answer − truth)² over the pixels of a region; all else as `l1`."""
    difference = at_least_float32(answer) - at_least_float32(truth)
    return _over(difference.square(), mask, region, over, hole_share, discount)


def hole_l1(answer: Tensor, truth: Tensor, mask: Tensor) -> Tensor:
    """Mean absolute difference over the missing pixels and channels.

    It is L1 of the composed picture divided by the mean of the mask. With no missing pixel the loss
    is 0.
    """
    return l1(answer, truth, mask, region="hole", over="region")


@torch.no_grad()
def discounted(mask: Tensor, discount: float) -> Tensor:
    """discount^l for each missing pixel, 1 for the known ones: DeepFill v1, section 3.

    l is the distance to the nearest known pixel, in steps to any of eight neighbours. In a box, the
    paper's hole, it equals the straight distance. Where nothing is known everything counts 0.

    Args:
        mask: N×1×H×W, 1 = missing.
        discount: γ, 0.99 in the paper and 0.9 as released.
    """
    # One ring of the hole after the other becomes known.
    missing = (mask > 0.5).to(at_least_float32(mask).dtype)
    weight = torch.ones_like(missing)
    while bool(missing.any()):
        reached = 1 - F.max_pool2d(1 - missing, 3, stride=1, padding=1)
        weight = weight * (1 - missing * (1 - discount))
        if torch.equal(reached, missing):  # of some pictures nothing is known
            return weight * (1 - missing)
        missing = reached
    return weight


def _over(
    distance: Tensor,
    mask: Tensor,
    region: Region,
    over: Over,
    hole_share: float | Tensor | None,
    discount: float,
) -> Tensor:
    mask = mask.to(distance.dtype)
    if discount != 1:
        distance = distance * discounted(mask, discount)
    if region != "all":
        distance = distance * (mask if region == "hole" else 1 - mask)
    if over == "sum":
        return distance.sum() / distance.shape[0]
    divided_by = region if over == "region" else over
    if divided_by in ("all", "picture"):
        return distance.mean()
    share = mask.mean() if hole_share is None else torch.as_tensor(hole_share).to(mask)
    # Less than one pixel is none.
    share = (share if divided_by == "hole" else 1 - share).clamp(min=1 / mask.numel())
    return distance.mean() / share
