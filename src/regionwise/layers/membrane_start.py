"""The start from a membrane: a network sees the hole filled smoothly and predicts a correction.

The correction is in units of the known region's standard deviation: normalisation layers remove a
picture's contrast, and this gives it back. So a network learns far more from little training than
one that is to make the picture from nothing.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

import torch
from torch import Tensor

from regionwise.layers.membrane import known_deviation, membrane_fill

WhiteStart = Literal["white", "membrane"]
"""What a network's option `start` may be; this one's paper shows the hole white."""
GreyStart = Literal["grey", "membrane"]
"""The same of a paper whose hole is mid grey."""
MeanStart = Literal["mean", "membrane"]
"""The same of a paper whose hole has the mean colour of the training photos."""


class MembraneStart(NamedTuple):
    """What a network starts from.

    Attributes:
        picture: the image with its hole filled by a membrane, N×3×H×W in [0, 1].
        unit: of the correction, N×1×1×1.
    """

    picture: Tensor
    unit: Tensor


def membrane_start(image: Tensor, mask: Tensor, *, least: float = 0.02) -> MembraneStart:
    """Fill the hole smoothly and measure the known region, both in the image's own type.

    Args:
        image: N×3×H×W in [0, 1]; what it holds in the hole is ignored.
        mask: N×1×H×W, 1 = missing.
        least: of the unit.
    """
    picture = membrane_fill(image, mask).to(image.dtype)
    return MembraneStart(picture, known_deviation(picture, mask, least).to(image.dtype))


def corrected(seen: Tensor, correction: Tensor, unit: Tensor) -> Tensor:
    """The way back: what was seen plus the correction in its unit, in the range of what was seen.

    Args:
        seen, correction: N×3×H×W.
        unit: N×1×1×1 or 1×3×1×1.
    """
    return torch.addcmul(seen, correction, unit)
