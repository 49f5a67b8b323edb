"""What the bundled network sees of a photo: where borders run, and which pixels belong together.

The network and its training are `benchmarks/train_outlines.py`; what chooses among segments was
fitted by `benchmarks/fit_chooser.py`. Both are small, and come with the package.
"""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from regionwise.arrays import Floats, Pixels

FOLDER = Path(__file__).parent
SIDE = 320
"""Pixels of the longer side at which the network sees a photo, or a part of one."""
_LARGEST = 2.0
"""Times that a tiny photo, or part of one, is enlarged for it."""
_STEP = 16
"""The network's sides are multiples of this."""
_LEAST = 32
"""The network's smallest side."""
_LOCK = threading.Lock()


@dataclass(frozen=True)
class Outlines:
    """What is seen of a photo.

    Attributes:
        border: H×W in [0, 1], the share of people who would draw a border there.
        vector: H×W×C; those of pixels in one segment are near each other.
        scale: of H and W to the photo's sides.
    """

    border: Floats
    vector: Floats
    scale: float


def see(color: Pixels) -> Outlines:
    """Look at a photo.

    Args:
        color: H×W×3 RGB, uint8.
    """
    height, width = color.shape[:2]
    scale = min(_LARGEST, SIDE / max(height, width))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    way = Image.Resampling.BOX if scale < 1 else Image.Resampling.BICUBIC
    small = np.asarray(Image.fromarray(color).resize(size, way), np.float32) / 255
    down, right = (max(_LEAST, -(-side // _STEP) * _STEP) - side for side in size[::-1])
    padded = np.pad(small, ((0, down), (0, right), (0, 0)), mode="edge")
    entry = np.ascontiguousarray(padded.transpose(2, 0, 1)[None])
    with _LOCK:  # the session is made once
        session = _session()
    border, vector = session.run(None, {"image": entry})
    return Outlines(
        border[0, 0, : size[1], : size[0]],
        np.ascontiguousarray(vector[0, :, : size[1], : size[0]].transpose(1, 2, 0)),
        scale,
    )


def likely(seen: Floats) -> NDArray[np.float64]:
    """How likely it is that each of some segments is meant, as numbers to be compared.

    Args:
        seen: K×F, see `regionwise.selection.candidates`.
    """
    chooser = _chooser()
    hidden = np.tanh(
        (seen - chooser["mean"]) / chooser["deviation"] @ chooser["into"] + chooser["bias"]
    )
    return np.asarray(hidden @ chooser["out"], np.float64)


@cache
def _session() -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    file = str(FOLDER / "outlines.onnx")
    return onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"])


@cache
def _chooser() -> dict[str, NDArray[np.float64]]:
    """The weights of what chooses among segments: one hidden layer."""
    content = json.loads((FOLDER / "chooser.json").read_text(encoding="utf-8"))
    return {name: np.array(values, np.float64) for name, values in content.items()}
