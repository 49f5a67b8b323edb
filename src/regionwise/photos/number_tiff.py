"""TIFF files of numbers that no photo has: labels of 32 bits, probabilities as floats.

Programs that segment and label write masks so (ImageJ, scikit-image, napari).
"""

from __future__ import annotations

import io
from typing import Any

import numpy as np
from numpy.typing import NDArray

_MAGIC = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")


def read_numbers(data: bytes, max_pixels: int) -> NDArray[Any] | None:
    """The numbers of a one-channel TIFF of floats, or of whole numbers that photos lack.

    Args:
        data: a file of any kind.
        max_pixels: a larger one is not read.

    Returns:
        H×W, or None if it is another file, which is for others to read and to refuse.
    """
    if data[:4] not in _MAGIC:
        return None
    import tifffile

    try:
        with tifffile.TiffFile(io.BytesIO(data)) as file:
            (page,) = file.pages
            height, width = page.shape
            if page.dtype in (bool, np.uint8, np.uint16) or height * width > max_pixels:
                return None
            return np.asarray(page.asarray())
    except MemoryError:
        raise
    except Exception:  # a decoder fed with broken bytes may raise anything
        return None
