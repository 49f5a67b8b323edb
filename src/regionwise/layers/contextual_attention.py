"""Contextual attention (Yu et al., CVPR 2018): what is missing is pasted from patches of the known.

An attention as any other: queries and keys are the 3×3 patches of one map, values the 4×4 patches
of another one of twice its size, which overlap by half; the answer is their mean. Only the keys are
normalised, and a patch that touches the hole has the score 0 and the value 0: it still counts in
the softmax's denominator.

The matrix of queries × keys is made a slice of queries at a time. What else is held grows with the
positions alone: their patches, 9 + 16 values for each channel.
"""

from __future__ import annotations

from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

KeyNorm = Literal["clamped", "smoothed"]

SLICE = 2**25
"""Scores held at once; one array of them takes 128 MB."""


def available_patches(mask: Tensor, patch: int = 3) -> Tensor:
    """Where a patch holds nothing of the hole: N×1×h×w of 0 and 1 → the same. Outside is known."""
    return 1 - F.max_pool2d(mask, patch, stride=1, padding=patch // 2)


class ContextualAttention(nn.Module):
    """`contextual_attention` as a layer, without weights; its options are described there."""

    def __init__(
        self,
        *,
        patch: int = 3,
        fuse: bool = True,
        key_norm: KeyNorm = "clamped",
        floor: float = 0.0,
    ) -> None:
        super().__init__()
        self.patch, self.fuse, self.key_norm, self.floor = patch, fuse, key_norm, floor

    def forward(self, guide: Tensor, values: Tensor, available: Tensor) -> Tensor:
        """N×C×h×w, N×D×2h×2w and N×1×h×w → N×D×2h×2w."""
        return contextual_attention(
            guide,
            values,
            available,
            patch=self.patch,
            fuse=self.fuse,
            key_norm=self.key_norm,
            floor=self.floor,
        )

    def multiply_accumulates(self, inputs: tuple[Tensor, ...], output: Tensor) -> int:
        """Scores of patches, their two fusions by 3×3 filters as released, 4×4 patches pasted."""
        guide = inputs[0]
        of_a_pair = guide.shape[1] * self.patch**2 + output.shape[1] * 16 + (18 if self.fuse else 0)
        return guide.shape[-2:].numel() ** 2 * of_a_pair


def contextual_attention(
    guide: Tensor,
    values: Tensor,
    available: Tensor,
    *,
    patch: int = 3,
    fuse: bool = True,
    key_norm: KeyNorm = "clamped",
    scale: float = 10.0,
    floor: float = 0.0,
    slice_size: int = SLICE,
) -> Tensor:
    """Rebuild a map from those of its patches that are available.

    Args:
        guide: N×C×h×w; its patches are compared.
        values: N×D×2h×2w; its patches are pasted, everywhere.
        available: N×1×h×w, 1 where a patch may be pasted from, 0 elsewhere.
        patch: side of the compared patches, odd.
        fuse: add to each score those of the neighbours of query and key to the left and right, then
            above and below: adjacent queries come to like adjacent keys. "Adjacent" is meant in the
            flattened map as in the released code, where a row's end adjoins the next one's start.
        key_norm: a key's length is max(‖k‖, 1e-4), or "smoothed" sqrt(Σ(k² + 1e-4)).
        scale: factor of the scores before the softmax.
        floor: the least weight of any patch (PEN-Net's 1e-8).
        slice_size: how many scores are held at once.

    Returns:
        N×D×2h×2w.
    """
    batch, _, height, width = guide.shape
    patches = F.unfold(guide, patch, padding=patch // 2)
    keys = patches / _lengths(patches, key_norm)
    pasted = F.unfold(values, 4, stride=2, padding=1)
    # From here on positions are in column order, the one in which the second fusion is a shift.
    queries, keys, pasted, usable = (
        x.reshape(batch, -1, height, width).transpose(2, 3)
        for x in (patches, keys, pasted, available.flatten(2))
    )
    usable = usable.flatten(2)
    pasted = pasted.flatten(2).transpose(1, 2)
    pasted = pasted if floor else pasted * usable.transpose(1, 2)
    rows = _with_neighbours(queries) if fuse else queries
    rows = rows.flatten(2).transpose(1, 2)
    keys = F.pad(keys.transpose(2, 3).flatten(2), (1, 1)) if fuse else keys.flatten(2)

    def attend(first: int, last: int) -> Tensor:
        """The pasted patches of the columns from first up to last, N×positions×16D."""
        if fuse:
            scores = _fused_scores(rows, keys, first, last, height, width)
        else:
            scores = rows[:, first * height : last * height] @ keys
        weights = torch.softmax(scores.mul_(usable * scale), dim=2)
        weights = (weights * usable).clamp(min=floor) if floor else weights
        return weights @ pasted

    if torch.compiler.is_compiling():  # how many slices there are must not depend on the size
        answer = attend(0, width)
    else:
        step = max(1, slice_size // (batch * height * height * width))
        slices = [(first, min(first + step, width)) for first in range(0, width, step)]
        # With gradients, a slice's scores are made again on the way back instead of kept.
        again = torch.is_grad_enabled() and len(slices) > 1
        answer = torch.cat(
            [checkpoint(attend, *s, use_reentrant=False) if again else attend(*s) for s in slices],
            dim=1,
        )
    answer = answer.transpose(1, 2).reshape(batch, -1, width, height).transpose(2, 3).flatten(2)
    return F.fold(answer, (2 * height, 2 * width), 4, stride=2, padding=1) / 4


def _lengths(patches: Tensor, key_norm: KeyNorm) -> Tensor:
    squares = patches.square().sum(dim=1, keepdim=True)
    if key_norm == "smoothed":
        return (squares + 1e-4 * patches.shape[1]).sqrt()
    # Under the root, so that a patch of zeros has a gradient.
    return squares.clamp(min=1e-8).sqrt()


def _with_neighbours(queries: Tensor) -> Tensor:
    """One column more at both sides: N×D×w×h → N×D×(w + 2)×h.

    Left of a row's first query stands the last one of the row above, as in the flattened map.
    """
    left, right = queries[:, :, -1:], queries[:, :, :1]
    left, right = F.pad(left[..., :-1], (1, 0)), F.pad(right[..., 1:], (0, 1))
    return torch.cat([left, queries, right], dim=2)


def _fused_scores(
    rows: Tensor, keys: Tensor, first: int, last: int, height: int, width: int
) -> Tensor:
    """Scores of the queries in some columns, fused twice.

    Args:
        rows: queries with their neighbours, N×(w + 2)·h×D, in column order.
        keys: N×D×(h·w + 2), in row order with a zero at either end.
        first, last: the columns from first up to last.
        height, width: of the map.

    Returns:
        N×(last − first)·h×h·w, the keys in column order.
    """
    # One query more at both ends, for the second fusion; beyond the map there are zeros.
    before, after = int(first > 0), int(last < width)
    start, end = first * height - before, last * height + after
    scores = rows[:, start : end + 2 * height] @ keys
    along_rows = (
        scores[:, height:-height, 1:-1]
        + scores[:, : -2 * height, :-2]
        + scores[:, 2 * height :, 2:]
    )
    del scores
    turned = along_rows.view(*along_rows.shape[:2], height, width).transpose(2, 3).flatten(2)
    del along_rows
    turned = F.pad(turned, (1, 1, 1 - before, 1 - after))
    return turned[:, 1:-1, 1:-1] + turned[:, :-2, :-2] + turned[:, 2:, 2:]
