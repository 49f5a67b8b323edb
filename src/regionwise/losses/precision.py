"""Half precision is for the networks: a loss sums in float32 at least."""

import torch
from torch import Tensor


def at_least_float32(x: Tensor) -> Tensor:
    """x, in float32 if it is in half precision; float64 stays."""
    return x.to(torch.promote_types(x.dtype, torch.float32))
