"""How much texture a fill has, against the truth.

L1 and PSNR reward blur. The gradient energy inside the hole tells blur from texture without any
network: a smooth fill has a few hundredths of the truth's, a good one comes near 1.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from regionwise.arrays import Mask
from regionwise.evaluation.metrics.metric import FilledPicture, Picture, Score

_LEAST = 1e-6
"""Sharpness that a fill counts as at least, so that its logarithm stays finite."""


def gradient_energy(picture: Picture, hole: Mask) -> float:
    """Sum of squared differences of neighbours that both lie in the hole, all channels.

    The seam is left out: a step there is no texture.

    Args:
        picture: C×H×W in [0, 1].
        hole: H×W bool.
    """
    x = picture.astype(np.float64)
    down = np.diff(x, axis=1)[:, hole[1:] & hole[:-1]]
    across = np.diff(x, axis=2)[:, hole[:, 1:] & hole[:, :-1]]
    return float((down**2).sum() + (across**2).sum())


class Sharpness:
    """The hole's gradient energy over the truth's: 1 is right, under 1 blurred, over 1 noisy.

    Of a row as a whole (`texture`), in which the busiest pictures weigh most, and picture by
    picture: the ratio, and how many times it is off by 2, whichever way. NaN where the truth is
    flat. A fill that is flat where the truth isn't counts as a millionth: 20 times off.
    """

    scores = (
        Score(
            "texture", "Texture in the hole (share of the truth's)", "near 1", over="texture_truth"
        ),
        Score("sharpness", "Sharpness in the hole (median)", "near 1", median=True),
        Score("sharpness_error", "|log2 sharpness| (median)", "lower", digits=2, median=True),
    )

    def measure(self, filled: FilledPicture) -> Mapping[str, float]:
        """See `Metric`."""
        own = gradient_energy(filled.answer, filled.hole)
        true = gradient_energy(filled.truth, filled.hole)
        ratio = max(own / true, _LEAST) if true > 0 else math.nan
        return {
            "texture": own,
            "texture_truth": true,
            "sharpness": ratio,
            "sharpness_error": abs(math.log2(ratio)),
        }
