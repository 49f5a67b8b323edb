"""Muon: steps along the orthogonal part of the momentum.

Jordan et al., "Muon: An optimizer for hidden layers in neural networks" (2024); the scale is that
of Liu et al., "Muon is Scalable for LLM Training" (arXiv:2502.16982), which makes a step as long as
Adam's, so that both share a learning rate.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor, nn

_COEFFICIENTS = (3.4445, -4.7750, 2.0315)
_ITERATIONS = (3, 2)
"""Between two looks at the matrix itself."""
_LEAST = 64
"""Rows of a matrix, below which it is Adam's."""


class Muon(torch.optim.Optimizer):
    """Muon for convolutions of many channels, Adam for all else.

    Args:
        parameters: of a network.
        lr: the learning rate of both.
        betas, eps: of Adam.
        momentum: of Muon, Nesterov's.
    """

    def __init__(
        self,
        parameters: Iterable[nn.Parameter],
        *,
        lr: float,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        momentum: float = 0.95,
        weight_decay: float = 0.0,
    ) -> None:
        every = list(parameters)
        wide = [p for p in every if p.ndim == 4 and p.shape[0] >= _LEAST and p[0].numel() >= _LEAST]
        chosen = {id(p) for p in wide}
        narrow = [p for p in every if id(p) not in chosen]
        shared = {"lr": lr, "weight_decay": weight_decay}
        groups = [
            {"params": wide, "orthogonal": True, "momentum": momentum},
            {"params": narrow, "orthogonal": False, "betas": betas, "eps": eps},
        ]
        super().__init__([group for group in groups if group["params"]], shared)

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> float | None:  # type: ignore[override]
        """One step; see the class."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            (self._orthogonal if group["orthogonal"] else self._adam)(group)
        return loss

    def _orthogonal(self, group: dict[str, Any]) -> None:
        alike: defaultdict[torch.Size, list[tuple[nn.Parameter, Tensor]]] = defaultdict(list)
        for p in group["params"]:
            if p.grad is None:
                continue
            state = self.state[p]
            if not state:
                state["momentum"] = torch.zeros_like(p)
            state["momentum"].lerp_(p.grad, 1 - group["momentum"])
            ahead = p.grad.lerp(state["momentum"], group["momentum"])
            alike[p.shape].append((p, ahead.flatten(1)))
        for pairs in alike.values():
            matrices = torch.stack([matrix for _, matrix in pairs])
            steps = orthogonalized(matrices)
            scale = 0.2 * max(matrices.shape[1:]) ** 0.5
            for (p, _), step in zip(pairs, steps, strict=True):
                p.mul_(1 - group["lr"] * group["weight_decay"])
                p.sub_(step.view(p.shape).to(p.dtype), alpha=group["lr"] * scale)

    def _adam(self, group: dict[str, Any]) -> None:
        first, second = group["betas"]
        for p in group["params"]:
            if p.grad is None:
                continue
            state = self.state[p]
            if not state:
                state["step"] = 0
                state["mean"], state["square"] = torch.zeros_like(p), torch.zeros_like(p)
            state["step"] += 1
            state["mean"].lerp_(p.grad, 1 - first)
            state["square"].mul_(second).addcmul_(p.grad, p.grad, value=1 - second)
            size = group["lr"] / (1 - first ** state["step"])
            spread = (state["square"] / (1 - second ** state["step"])).sqrt_().add_(group["eps"])
            p.mul_(1 - group["lr"] * group["weight_decay"])
            p.addcdiv_(state["mean"], spread, value=-size)


def orthogonalized(matrices: Tensor) -> Tensor:
    """U·Vᵀ of each matrix's singular value decomposition, roughly (singular values 0.7 to 1.2).

    Five iterations X ← p(X·Xᵀ)·X of Newton and Schulz's method. Matrices are much wider than high,
    so the polynomials are multiplied with each other first, as functions of the small X·Xᵀ, and
    with X twice only. Once would not do: in half precision an eigenvalue of X·Xᵀ that should be
    next to nothing may come out negative, and grows with each iteration.

    Args:
        matrices: count×rows×columns.

    Returns:
        count×rows×columns, bfloat16.
    """
    a, b, c = _COEFFICIENTS
    x = matrices.bfloat16()
    tall = x.shape[1] > x.shape[2]
    if tall:
        x = x.transpose(1, 2)
    x = x / x.norm(dim=(1, 2), keepdim=True).clamp(min=1e-7)
    for iterations in _ITERATIONS:
        gram = x @ x.transpose(1, 2)
        polynomial = _polynomial(gram, a, b, c)
        product = polynomial
        for _ in range(iterations - 1):
            gram = polynomial @ gram @ polynomial
            polynomial = _polynomial(gram, a, b, c)
            product = polynomial @ product
        x = product @ x
    answer: Tensor = x.transpose(1, 2) if tall else x
    return answer


def _polynomial(gram: Tensor, a: float, b: float, c: float) -> Tensor:
    """The sum a + b·G + c·G² of each matrix."""
    answer: Tensor = torch.baddbmm(gram, gram, gram, beta=b, alpha=c)
    answer.diagonal(dim1=1, dim2=2).add_(a)
    return answer
