"""The Wasserstein loss with gradient penalty (Gulrajani et al., NIPS 2017, eq. 3)."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from regionwise.errors import ModelError
from regionwise.losses.adversarial.adversarial_loss import Patches, PatchwiseLoss
from regionwise.losses.precision import at_least_float32


class WassersteinLoss(PatchwiseLoss):
    """Discriminator: mean(fake) − mean(real), and the penalty; generator: −mean(fake).

    Args:
        gradient_penalty: its weight, 10 in the paper.
        penalty_in: where the gradient counts: "all", or the "hole" as in DeepFill v1.
        patches: see `PatchwiseLoss`.
    """

    bounded = False

    def __init__(
        self,
        gradient_penalty: float = 10.0,
        penalty_in: Patches = "all",
        patches: Patches = "all",
    ) -> None:
        super().__init__(patches)
        if penalty_in not in ("all", "hole"):
            raise ModelError(f"penalty_in={penalty_in!r} is not one of all, hole")
        self.gradient_penalty = gradient_penalty
        self.penalty_in = penalty_in

    def of_real(self, scores: Tensor) -> Tensor:
        """−score."""
        return -scores

    def of_fake(self, scores: Tensor) -> Tensor:
        """The score."""
        return scores

    def of_generator(self, scores: Tensor) -> Tensor:
        """−score."""
        return -scores

    def penalty(
        self, scores_of: Callable[[Tensor], Tensor], truth: Tensor, fake: Tensor, mask: Tensor
    ) -> Tensor:
        """The weighted gradient penalty."""
        region = mask if self.penalty_in == "hole" else None
        return self.gradient_penalty * gradient_penalty(scores_of, truth, fake, region)


def gradient_penalty(
    scores_of: Callable[[Tensor], Tensor],
    real: Tensor,
    fake: Tensor,
    mask: Tensor | None = None,
    *,
    generator: torch.Generator | None = None,
) -> Tensor:
    """mean((‖∇D(x̂)‖₂ − 1)²), x̂ drawn evenly between a true and a filled picture.

    D is a picture's mean score, as in the loss. The paper weighs the penalty with 10. It is
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
