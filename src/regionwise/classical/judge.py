"""Decide how much of a synthesis to believe, and mix it with the network's fill.

Copies of known pixels are sharp, and wrong where there is little to copy from: where a hole covers
much of its surroundings, each missing patch gets one that merely fits best. A network's fill is
soft, and right in light and colour near the border. So where sources are few, and in the first
pixels from the border of any hole, a copy gets the network's light and colour (all that is coarser
than some pixels) and a share of its fine structure. Where patches fit all but perfectly, as in a
clear sky, they are believed however few they are. Nothing is decided by a threshold: shares change
smoothly with the sources there are for each missing pixel, with their fit, and with depth.
"""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from regionwise.arrays import Bools, Floats

_FEW, _PLENTY = 3.0, 8.0
"""Known pixels round the hole for each missing one: up to the first a synthesis is not believed,
from the second on it is, by `_MOST`."""


_MOST = 0.95
"""Belief that many sources alone can give; the rest is for a good fit."""
_GOOD, _BAD = 0.001, 0.006
"""Misfit up to which patches are believed wholly, however few they are, and from which on not."""
_AROUND = 6.0
"""Deviation of the Gaussian over which misfit is averaged."""
_COARSE = 3.0
"""Deviation of the Gaussian whose result is the network's where a synthesis is not believed."""
_FINE = 0.45
"""Share of the network in what is finer, where nothing is believed; it falls with doubt squared."""


def belief(hole: Bools, misfit: Floats) -> Floats:
    """How far a synthesis is to be believed, by what is known round the hole and how it fits.

    Args:
        hole: R×C, the window in which sources were looked for; True = missing.
        misfit: R×C, see `synthesis.Synthesis`.

    Returns:
        R×C in [0, 1]; outside the hole it means nothing.
    """
    known = float((~hole).sum()) / max(float(hole.sum()), 1.0)
    plenty = np.clip(np.log(max(known, 1e-6) / _FEW) / np.log(_PLENTY / _FEW), 0, 1)
    share = hole.astype(np.float32)
    around = ndimage.gaussian_filter(misfit * share, _AROUND)
    around /= np.maximum(ndimage.gaussian_filter(share, _AROUND), np.float32(0.2))
    bad = np.log(np.maximum(around, 1e-6) / _GOOD) / np.log(_BAD / _GOOD)
    result: Floats = (1 - (1 - _MOST * plenty) * _risen(np.clip(bad, 0, 1))).astype(np.float32)
    return result


def mixed(
    synthesis: Floats,
    network: Floats,
    hole: Bools,
    believed: Floats,
    depth: Floats,
    scale: float = 1.0,
    border: float = 5.0,
) -> Floats:
    """The synthesis with as much of the network's fill as it takes.

    Args:
        synthesis: h×w×3 in [0, 1].
        network: h×w×3, without any texture added to it.
        hole: h×w, True = missing; outside it nothing means anything.
        believed: h×w in [0, 1], see `belief`.
        depth: h×w, distance of each pixel from the nearest that is known.
        scale: pixels of these pictures for each pixel that was searched, at least 1.
        border: depth from which on a synthesis that is believed stands alone.

    Returns:
        h×w×3.
    """
    own = believed * _risen(np.clip(depth / np.float32(max(border, 1e-3)), 0, 1))
    share = hole[..., None].astype(np.float32)
    sigma = (_COARSE * scale, _COARSE * scale, 0)
    lacking = ndimage.gaussian_filter(share * (network - synthesis), sigma)
    lacking /= np.maximum(ndimage.gaussian_filter(share, sigma), np.float32(0.3))
    doubt = (1 - own)[..., None]
    coarse = synthesis + doubt * lacking
    result: Floats = coarse + np.float32(_FINE) * doubt**2 * (network - coarse)
    return np.clip(result, 0, 1)


def _risen(share: Floats) -> Floats:
    """From 0 to 1 like its argument, without a bend at the ends."""
    return share * share * (3 - 2 * share)
