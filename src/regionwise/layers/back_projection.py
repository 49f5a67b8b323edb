"""Back projection: a picture is brought into line with a low-resolution prediction of itself."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from regionwise.layers.bilinear import resized
from regionwise.layers.replicated_borders import ReplicatedConv2d


def back_project(picture: Tensor, low_resolution: Tensor, weight: Tensor) -> Tensor:
    """Compute picture + up(low_resolution − down(picture)) · weight (DeepGIN, figure 2).

    Down and up are bilinear with the corners aligned, as released: the corner pixels' centres
    coincide, and nothing is averaged on the way down.

    Args:
        picture: N×C×H×W.
        low_resolution: N×C×h×w.
        weight: N×1×H×W, what share of the residual is added.

    Returns:
        N×C×H×W.
    """
    residual = low_resolution - resized(picture, low_resolution)
    return torch.addcmul(picture, resized(residual, picture), weight)


class BackProjection(nn.Module):
    """Back projection whose weight is learnt: sigmoid of a 3×3 convolution of the last features.

    Shapes: picture N×C×H×W, low_resolution N×C×h×w, features N×K×H×W → N×C×H×W.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weight = ReplicatedConv2d(channels, 1, 3)

    def forward(self, picture: Tensor, low_resolution: Tensor, features: Tensor) -> Tensor:
        """Bring the picture into line; see the class."""
        return back_project(picture, low_resolution, torch.sigmoid(self.weight(features)))
