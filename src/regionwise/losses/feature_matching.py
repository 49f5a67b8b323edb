"""Features that a discriminator sees in the filled picture shall be those of the real one."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor


def feature_matching(fake: Sequence[Tensor], real: Sequence[Tensor]) -> Tensor:
    """Mean over layers of the L1 distance between features (Wang et al., pix2pixHD, 2018).

    Args:
        fake, real: the same layers' features, each N×C×H×W; the real ones get no gradient.
    """
    distances = [F.l1_loss(f, r.detach()) for f, r in zip(fake, real, strict=True)]
    return torch.stack(distances).mean()
