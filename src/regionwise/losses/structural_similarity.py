"""One minus SSIM: local means, contrasts and correlations shall be the truth's."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from regionwise.classical.structural_similarity import WINDOW, gaussian_weights, similarity


def structural_similarity(
    answer: Tensor, truth: Tensor, mask: Tensor | None = None, *, window: int = WINDOW
) -> Tensor:
    """1 − mean SSIM (Wang et al. 2004) with a Gaussian window, over where the window fits.

    The metric of `regionwise evaluate` is the same formula, see `classical.structural_similarity`.

    Wants composed pictures: where answer and truth are equal it asks for nothing.

    Args:
        answer, truth: N×C×H×W in [0, 1]; summed in float32 at least. A side smaller than the window
            has one as large as itself, made odd.
        mask: not looked at; it makes the call that of the other losses.
        window: its side, odd.

    Returns:
        A number from 0 to 2.
    """
    del mask
    wide = torch.promote_types(answer.dtype, torch.float32)
    x, y = answer.to(wide), truth.to(wide)
    kernels = [x.new_tensor(gaussian_weights(min(window, side))) for side in x.shape[-2:]]
    maps = torch.cat([x, y, x * x, y * y, x * y], dim=1)
    return 1 - similarity(*_blurred(maps, *kernels).chunk(5, dim=1)).mean()


def _blurred(x: Tensor, down: Tensor, across: Tensor) -> Tensor:
    channels = x.shape[1]
    x = F.conv2d(x, down.view(1, 1, -1, 1).expand(channels, -1, -1, -1), groups=channels)
    return F.conv2d(x, across.view(1, 1, 1, -1).expand(channels, -1, -1, -1), groups=channels)
