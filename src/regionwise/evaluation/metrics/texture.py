"""How much texture a fill has, against the truth.

L1 and PSNR reward blur. The gradient energy inside the hole tells blur from texture without any
network: a smooth fill has a few hundredths of the truth's, a good one comes near 1.
"""

from __future__ import annotations

import numpy as np

from regionwise.evaluation.metrics.pixels import Hole, Picture


def gradient_energy(picture: Picture, hole: Hole) -> float:
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
