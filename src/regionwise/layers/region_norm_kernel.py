"""Region normalisation with an affine map, fused: accurate statistics, few passes, little memory.

The rows of a channels-last feature map are its pixels. A one-hot matrix `members` of rows × K says
to which region each belongs, so that "the value of my region" is a product with a thin matrix, and
"the sum over a region" the product with its transpose. All work is done in blocks of rows that stay
in the processor's cache; nothing of the feature map's size is made but the answer.

Let c be a row's region and x̂ = (x − mean_c) · rstd_c. The forward result is

    y = (x̂ · weight_c + bias_c) · (1 + γ) + β,

γ and β one number a row. With g the gradient of y, s = weight_c · (1 + γ) · g and n_c the region's
number of rows, the gradient of x is rstd_c · (s − Σ_c s / n_c − x̂ · Σ_c (s · x̂) / n_c).
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

_BLOCK = 1 << 18
"""Numbers in a block: 1 MiB of float32, the size of a second-level cache."""


def _blocks(rows: int, channels: int) -> list[slice]:
    step = max(1, _BLOCK // channels)
    return [slice(start, min(start + step, rows)) for start in range(0, rows, step)]


def _scratch(blocks: list[slice], channels: int, dtype: torch.dtype) -> Tensor:
    """Room for one block, used again and again: fresh memory costs more than the arithmetic."""
    return torch.empty(blocks[0].stop if blocks else 0, channels, dtype=dtype)


def _group_moments(x: Tensor, members: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and biased variance of each region, K×C in float64; x is rows × C.

    Variances are taken about a first mean, whose own error the same pass measures and takes away.
    """
    dtype = members.dtype
    count = members.sum(dim=0).double().clamp(min=1).unsqueeze(1)
    blocks = _blocks(*x.shape)
    room = _scratch(blocks, x.shape[1], dtype)
    total = torch.zeros(members.shape[1], x.shape[1], dtype=torch.float64)
    for block in blocks:
        total += members[block].T @ x[block].to(dtype)
    first = (total / count).to(dtype)
    error, squares = torch.zeros_like(total), torch.zeros_like(total)
    for block in blocks:
        centred = room[: block.stop - block.start]
        torch.addmm(x[block].to(dtype), members[block], first, alpha=-1, out=centred)
        error += members[block].T @ centred
        squares += members[block].T @ centred.square_()
    error /= count
    return first.double() + error, squares / count - error.square()


class RegionNormFunction(torch.autograd.Function):
    """See the module. All tensors are of two dimensions a group: a picture, or the whole batch.

    Args of `apply`:
        x: groups × rows × C, any floating type.
        members: groups × rows × K of 0 and 1, in the type of the arithmetic (float32 or float64).
        weight, bias: K×C, in the type of the arithmetic.
        gamma, beta: groups × rows × 1, in the type of the arithmetic, or None for 0.
        eps: groups × K × 1 in float64, added to the variances.
    """

    @staticmethod
    def forward(
        ctx: Any,
        x: Tensor,
        members: Tensor,
        weight: Tensor,
        bias: Tensor,
        gamma: Tensor | None,
        beta: Tensor | None,
        eps: Tensor,
    ) -> Tensor:
        """Normalise and map."""
        dtype = members.dtype
        answer = torch.empty_like(x)
        blocks = _blocks(*x.shape[1:])
        room = _scratch(blocks, x.shape[2], dtype)
        means, rstds = [], []
        for group in range(x.shape[0]):
            mean, variance = _group_moments(x[group], members[group])
            rstd = (variance.clamp(min=0) + eps[group]).rsqrt()
            low_mean = mean.to(dtype)
            # The mean's rounding goes into the shift: exact where |mean| ≫ deviation.
            scale = (rstd * weight).to(dtype)
            shift = ((low_mean - mean) * rstd * weight + bias).to(dtype)
            mapped = members[group] if gamma is None else members[group] * (1 + gamma[group])
            raised, shifts = mapped, shift
            if beta is not None:  # β as one more column, whose value is 1 in each channel
                raised = torch.cat([mapped, beta[group]], dim=1)
                shifts = torch.cat([shift, torch.ones_like(shift[:1])])
            for block in blocks:
                scales = room[: block.stop - block.start]
                torch.mm(mapped[block], scale, out=scales)
                wide = x[group, block].to(dtype)
                y = answer[group, block] if answer.dtype == dtype else torch.empty_like(wide)
                torch.addmm(wide, members[group, block], low_mean, alpha=-1, out=y)
                y.mul_(scales).addmm_(raised[block], shifts)
                if y.dtype != answer.dtype:
                    answer[group, block] = y
            means.append(low_mean)
            rstds.append(rstd.to(dtype))
        ctx.save_for_backward(
            x, members, weight, bias, gamma, beta, torch.stack(means), torch.stack(rstds)
        )
        return answer

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Any:
        """Gradients of x, weight, bias, gamma and beta."""
        (gradient,) = gradients
        x, members, weight, bias, gamma, beta, means, rstds = ctx.saved_tensors
        gradient = gradient.contiguous()
        grad_x = torch.empty_like(x)
        grad_weight, grad_bias = torch.zeros_like(weight), torch.zeros_like(bias)
        grad_gamma = None if gamma is None else torch.empty_like(gamma)
        grad_beta = None if beta is None else torch.empty_like(beta)
        for group in range(x.shape[0]):
            grad_weight_group, grad_bias_group = _group_backward(
                x[group],
                gradient[group],
                members[group],
                weight,
                bias,
                None if gamma is None else gamma[group],
                means[group],
                rstds[group],
                grad_x[group],
                None if grad_gamma is None else grad_gamma[group],
                None if grad_beta is None else grad_beta[group],
            )
            grad_weight += grad_weight_group
            grad_bias += grad_bias_group
        return grad_x, None, grad_weight, grad_bias, grad_gamma, grad_beta, None


def _group_backward(
    x: Tensor,
    gradient: Tensor,
    members: Tensor,
    weight: Tensor,
    bias: Tensor,
    gamma: Tensor | None,
    mean: Tensor,
    rstd: Tensor,
    grad_x: Tensor,
    grad_gamma: Tensor | None,
    grad_beta: Tensor | None,
) -> tuple[Tensor, Tensor]:
    """Fill in the gradients of one group's rows; returns those of weight and bias."""
    dtype = members.dtype
    count = members.sum(dim=0).clamp(min=1).unsqueeze(1)
    total = torch.zeros_like(mean, dtype=torch.float64)
    moment = torch.zeros_like(total)
    blocks = _blocks(*x.shape)
    for block in blocks:
        rows = members[block]
        g = gradient[block].to(dtype)
        mapped = rows if gamma is None else rows * (1 + gamma[block])
        normalized = torch.addmm(x[block].to(dtype), rows, mean, alpha=-1).mul_(rows @ rstd)
        if grad_beta is not None:
            grad_beta[block] = g.sum(dim=1, keepdim=True)
        total += mapped.T @ g
        if grad_gamma is not None:
            regional = normalized.mul_(g) @ weight.T + g @ bias.T
            grad_gamma[block] = (rows * regional).sum(dim=1, keepdim=True)
            moment += mapped.T @ normalized
        else:
            moment += mapped.T @ normalized.mul_(g)
    grad_bias, grad_weight = total.to(dtype), moment.to(dtype)
    scale = weight * rstd
    offset = -scale * grad_bias / count
    slope = -scale * rstd * grad_weight / count
    for block in blocks:
        rows = members[block]
        g = gradient[block].to(dtype)
        mapped = rows if gamma is None else rows * (1 + gamma[block])
        centred = torch.addmm(x[block].to(dtype), rows, mean, alpha=-1)
        y = centred.mul_(rows @ slope).addmm_(rows, offset).addcmul_(g, mapped @ scale)
        grad_x[block] = y
    return grad_weight, grad_bias
