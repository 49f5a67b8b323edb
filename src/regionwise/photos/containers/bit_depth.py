"""Samples of 10, 12 and other odd bits as 16 bits, and back without loss."""

from __future__ import annotations

import numpy as np

from regionwise.arrays import Pixels


def widened(samples: Pixels, bits: int) -> Pixels:
    """Samples of 9 to 15 bits over the whole range of 16; others as they are.

    The upper bits are repeated below, so that `narrowed` gives each value back.
    """
    if not 8 < bits < 16:
        return samples
    wide = samples.astype(np.uint16)
    result: Pixels = (wide << (16 - bits)) | (wide >> (2 * bits - 16))
    return result


def narrowed(samples: Pixels, bits: int) -> Pixels:
    """The inverse of `widened`; other 16-bit values are cut."""
    return samples >> (16 - bits) if 8 < bits < 16 else samples
