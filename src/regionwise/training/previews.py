"""Pictures of how a training is doing."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from regionwise.models.prediction import compose


@torch.no_grad()
def preview_grid(network: nn.Module, image: Tensor, mask: Tensor) -> Tensor:
    """Rows of photo with hole, each stage's raw picture, filled photo, true photo.

    Args:
        network: in eval mode.
        image: N×3×H×W in [0, 1].
        mask: N×1×H×W, 1 = missing.

    Returns:
        3×(N·H)×(K·W) in [0, 1].
    """
    prediction = network(image, mask)
    filled = compose(image, mask, prediction)
    shown = torch.where(mask > 0.5, torch.ones_like(image), image)
    columns = [shown, *prediction.stages, filled, image]
    rows = [torch.cat([x.float().clamp(0, 1) for x in c], dim=1) for c in columns]
    return torch.cat(rows, dim=2)
