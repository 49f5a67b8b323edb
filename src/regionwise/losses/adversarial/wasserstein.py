"""The Wasserstein game with gradient penalty (Gulrajani et al., NIPS 2017, eq. 3)."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from regionwise.losses.adversarial.patches import weighted_mean
from regionwise.losses.precision import at_least_float32


def wasserstein_discriminator(real: Tensor, fake: Tensor, weight: Tensor | None = None) -> Tensor:
    """mean(fake) − mean(real), without the penalty; arguments as in the package."""
    return weighted_mean(fake, weight) - weighted_mean(real, weight)


def wasserstein_generator(fake: Tensor, weight: Tensor | None = None) -> Tensor:
    """−mean(fake)."""
    return -weighted_mean(fake, weight)


def gradient_penalty(
    scores_of: Callable[[Tensor], Tensor],
    real: Tensor,
    fake: Tensor,
    mask: Tensor | None = None,
    *,
    generator: torch.Generator | None = None,
) -> Tensor:
    """mean((‖∇D(x̂)‖₂ − 1)²), x̂ drawn evenly between a true and a filled picture.

    D is a picture's mean score, as in the game. The paper weighs the penalty with 10. It is
    differentiable twice: call it without autocast to half precision.

    Args:
        scores_of: the discriminator: N×C×H×W → scores N×….
        real, fake: N×C×H×W; they get no gradient, as the penalty is the discriminator's alone.
        mask: N×1×H×W; if given, only the gradient in the hole counts, as in DeepFill v1.
        generator: of the random numbers; torch's own if not given.
    """
    shape = (real.shape[0], 1, 1, 1)
    part = torch.rand(shape, device=real.device, dtype=real.dtype, generator=generator)
    mixed = torch.lerp(fake.detach(), real.detach(), part).requires_grad_()
    with torch.enable_grad():
        scores = at_least_float32(scores_of(mixed)).reshape(len(mixed), -1).mean(dim=1).sum()
        (slope,) = torch.autograd.grad(scores, mixed, create_graph=True)
    slope = at_least_float32(slope if mask is None else slope * mask)
    norm: Tensor = torch.linalg.vector_norm(slope.flatten(1), dim=1)
    return (norm - 1).square().mean()
