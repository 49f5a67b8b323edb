"""The hinge game between generator and discriminator (Lim and Ye 2017; used by DeepGIN)."""

import torch.nn.functional as F
from torch import Tensor


def hinge_discriminator(real: Tensor, fake: Tensor) -> Tensor:
    """mean(max(0, 1 − real)) + mean(max(0, 1 + fake)) of the discriminator's scores."""
    return F.relu(1 - real).mean() + F.relu(1 + fake).mean()


def hinge_generator(fake: Tensor) -> Tensor:
    """−mean(fake): what the generator lowers."""
    return -fake.mean()
