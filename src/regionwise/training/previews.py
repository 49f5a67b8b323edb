"""Pictures of how a training is doing."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from regionwise.models.prediction import compose


@torch.no_grad()
def preview_grid(network: nn.Module, image: Tensor, mask: Tensor) -> Tensor:
    """Rows of photo with hole, filled photo, true photo: 3×(N·H)×(3·W) in [0, 1]."""
    training = network.training
    network.eval()
    filled = compose(image, mask, network(image, mask)).float().clamp(0, 1)
    network.train(training)
    shown = torch.where(mask > 0.5, torch.ones_like(image), image)
    return torch.cat([torch.cat(list(rows), dim=1) for rows in (shown, filled, image)], dim=2)
