"""Bilinear resizing with the corners aligned: the corner pixels' centres coincide.

So the papers' released networks resize (DeepGIN, PEN-Net, PIC, AOT-GAN). Nothing is averaged on the
way down.
"""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor


def resized(x: Tensor, like: Tensor) -> Tensor:
    """Bring x to the size of another map."""
    return F.interpolate(x, size=like.shape[-2:], mode="bilinear", align_corners=True)


def doubled(x: Tensor) -> Tensor:
    """Twice the size, by a factor that an exporter need not derive from sizes."""
    return F.interpolate(x, scale_factor=2.0, mode="bilinear", align_corners=True)
