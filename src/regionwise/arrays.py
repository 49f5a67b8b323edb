"""What arrays hold, by the names that all rooms use."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = "NDArray[np.float32]"
"""Pictures, mostly N×3×H×W, 3×H×W or H×W×3 in [0, 1]; its callers say which."""
Doubles: TypeAlias = "NDArray[np.float64]"
"""What is summed or solved for in double precision."""
Reals: TypeAlias = "NDArray[np.floating[Any]]"
"""Numbers of either precision."""
Bools: TypeAlias = "NDArray[np.bool_]"
"""H×W."""
Mask: TypeAlias = "NDArray[np.bool_]"
"""H×W, True = missing."""
Integers: TypeAlias = "NDArray[np.intp]"
"""Positions and indices."""
Numbers: TypeAlias = "NDArray[np.int64]"
"""Codes, coefficients and counts."""
Bytes: TypeAlias = "NDArray[np.uint8]"
"""Samples of 8 bits, or the bytes of a file; its callers say which."""
Pixels: TypeAlias = "NDArray[Any]"
"""Samples of a photo, H×W or H×W×C, uint8 or uint16."""
