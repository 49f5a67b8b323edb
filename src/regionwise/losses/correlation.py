"""The non-local correlation loss of the Region-wise papers, without its n×n matrices.

With A and B the features of the filled and of the true picture, one row for each of n positions,
the loss is σ·Σ_ij |D_ij| with D = A·Aᵀ − B·Bᵀ, and its gradient with respect to A is 2σ·sign(D)·A.
Four facts make it cheap, none of them an approximation:

- D is made in tiles; each is used for value and gradient at once, then forgotten.
- D is symmetric: only the tiles on and above the diagonal are made.
- With E = A − B, D = E·Aᵀ + B·Eᵀ. Rows that the composition left unchanged have E = 0: between two
  of them D is exactly 0, and where one of two is changed half of the sum is left.
- A difference of two large products loses digits; a product with E does not.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from regionwise.errors import ModelError

_TILES = {"cpu": 512}
"""Side of a tile: in float32 it and its factors fill a second-level cache."""
_TILE = 4096
"""On other devices, which want much to do at a time: 64 MiB."""


def correlation(
    answer: Tensor, truth: Tensor, *, sigma: float | None = None, tile: int | None = None
) -> Tensor:
    """σ·Σ_ij |⟨a_i, a_j⟩ − ⟨b_i, b_j⟩| over pairs of positions, mean over the pictures.

    Equations (2) and (4) of the first paper, (3) and (4) of the second. The papers take the
    features of VGG's pool2 of the composed first stage and weigh the loss with 1e-5.

    Args:
        answer: features of the filled picture, N×C×H×W; its gradient is exact.
        truth: features of the true picture, of the same shape; they get no gradient.
        sigma: the papers' "normalization factor by position"; 1/C² as released if not given. (As
            released the sum runs over the batch too, as do the other losses there.)
        tile: side of the piece of the n×n matrix, n = H·W, that is in memory at a time.

    Returns:
        A number. Features in half precision are multiplied in float32.

    Raises:
        ModelError: if the shapes differ.
    """
    if answer.shape != truth.shape or answer.dim() != 4:
        raise ModelError(
            f"features of {tuple(answer.shape)} and {tuple(truth.shape)}: "
            "a correlation loss compares two of one shape N×C×H×W"
        )
    if sigma is None:
        sigma = 1 / answer.shape[1] ** 2
    tile = tile or _TILES.get(answer.device.type, _TILE)
    total: Tensor = _Correlation.apply(answer, truth.detach(), tile)  # type: ignore[no-untyped-call]
    return total * (sigma / answer.shape[0])


def correlation_of_layers(
    answer: Sequence[Tensor], truth: Sequence[Tensor], weights: Sequence[float]
) -> Tensor:
    """Σ over layers of weight · `correlation`; the papers have one layer."""
    pairs = zip(weights, answer, truth, strict=True)
    return torch.stack([weight * correlation(a, t) for weight, a, t in pairs]).sum()


class _Correlation(torch.autograd.Function):
    """Σ |A·Aᵀ − B·Bᵀ| over all pictures, and the gradient with respect to A made along with it."""

    @staticmethod
    def forward(ctx: Any, answer: Tensor, truth: Tensor, tile: int) -> Tensor:
        wide = torch.promote_types(answer.dtype, torch.float32)
        gradient = torch.empty_like(answer) if ctx.needs_input_grad[0] else None
        total = torch.zeros((), dtype=torch.float64, device=answer.device)
        with torch.autocast(answer.device.type, enabled=False):
            for k in range(answer.shape[0]):
                a, b = (x[k].detach().flatten(1).T.to(wide) for x in (answer, truth))
                part, slope = _sum_and_gradient(a, b, tile, gradient is not None)
                total += part
                if gradient is not None and slope is not None:
                    gradient[k] = slope.T.view_as(gradient[k])
        ctx.save_for_backward(gradient)
        return total.to(wide)

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, *gradients: Tensor) -> Any:
        (gradient,) = ctx.saved_tensors
        return (None if gradient is None else gradient * gradients[0]), None, None


def _sum_and_gradient(
    a: Tensor, b: Tensor, tile: int, with_gradient: bool
) -> tuple[Tensor, Tensor | None]:
    """Σ |A·Aᵀ − B·Bᵀ| in float64 and 2·sign(A·Aᵀ − B·Bᵀ)·A, for one picture.

    Args:
        a, b: n×C.
        tile: side of the pieces of the n×n matrix.
        with_gradient: else the second is None.
    """
    changed = (a != b).any(dim=1)
    order = torch.cat([changed.nonzero(), (~changed).nonzero()]).flatten()
    count = int(changed.sum())
    a, b = a[order], b[order[:count]]
    e = a[:count] - b
    left, right = torch.cat([e, b], dim=1), torch.cat([a[:count], e], dim=1)
    total = torch.zeros((), dtype=torch.float64, device=a.device)
    slope = torch.zeros_like(a)
    for rows in _slices(0, count, tile):
        for columns in _slices(rows.start, count, tile) + _slices(count, a.shape[0], tile):
            both_changed = columns.start < count
            d = left[rows] @ right[columns].T if both_changed else e[rows] @ a[columns].T
            # A tile beside the diagonal stands for its mirror image too.
            twins = 1 if rows == columns else 2
            total += twins * d.abs().sum(dim=1).double().sum()
            if with_gradient:
                sign = d.sign_()
                slope[rows].addmm_(sign, a[columns], alpha=2)
                if twins == 2:
                    slope[columns].addmm_(sign.T, a[rows], alpha=2)
    if not with_gradient:
        return total, None
    gradient = torch.empty_like(a)
    gradient[order] = slope
    return total, gradient


def _slices(start: int, end: int, step: int) -> list[slice]:
    return [slice(k, min(k + step, end)) for k in range(start, end, step)]
