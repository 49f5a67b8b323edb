"""Select by a network of Segment Anything's form, for those who own its two ONNX files.

The encoder sees a photo once, the decoder each prompt (Kirillov et al., Segment Anything, ICCV
2023). Their inputs and outputs are those of the authors' own export, which others (MobileSAM,
EfficientViT-SAM, ...) follow: the encoder takes 1×3×S×S, the longer side scaled to S and the rest
padded; the decoder takes `image_embeddings`, `point_coords`, `point_labels`, `mask_input`,
`has_mask_input` and `orig_im_size`, and gives `masks` and `iou_predictions` first.
"""

from __future__ import annotations

import hashlib
import threading
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from regionwise.arrays import Floats, Mask, Pixels
from regionwise.engines.engine import first_line
from regionwise.errors import ModelError
from regionwise.photos.raster import to_eight_bits
from regionwise.selection.prompt import Prompt

_MEAN = np.array([123.675, 116.28, 103.53], np.float32)
_DEVIATION = np.array([58.395, 57.12, 57.375], np.float32)
_SIDE = 1024
_LOW = 256  # side of the mask that a decoder may be given to start from
_NEEDED = {"image_embeddings", "point_coords", "point_labels", "mask_input", "has_mask_input",
           "orig_im_size"}  # fmt: skip


class SamSegmenter:
    """Encoder and decoder; the last photo's embedding is kept, so that a second click is quick."""

    def __init__(self, path: Path) -> None:
        """Load.

        Args:
            path: a folder with one `*encoder*.onnx` and one `*decoder*.onnx`, or one of the two,
                beside which the other lies under the same name but for that word.

        Raises:
            ModelError: if one is missing, or is of another form.
        """
        encoder, decoder = _files(path)
        self._encoder, self._decoder = _session(encoder), _session(decoder)
        names = {one.name for one in self._decoder.get_inputs()}
        if names != _NEEDED:
            lacking = ", ".join(sorted(_NEEDED - names)) or "no others"
            raise ModelError(
                f"{decoder} is not a decoder of SAM's form; it lacks the input {lacking}"
            )
        entry = self._encoder.get_inputs()[0]
        if len(entry.shape) != 4:
            raise ModelError(f"{encoder} is not an encoder of SAM's form; it must take 1×3×S×S")
        self._entry = entry.name
        self._side = entry.shape[3] if isinstance(entry.shape[3], int) else _SIDE
        self._lock = threading.Lock()
        self._seen: tuple[bytes, Any] | None = None

    def select(self, color: Pixels, prompt: Prompt) -> Mask:
        """Select, see `regionwise.selection.prompt.Segmenter`."""
        height, width = color.shape[:2]
        prompt.check(height, width)
        scale = self._side / max(height, width)
        coordinates, labels = _points(prompt, scale)
        try:
            with self._lock:
                masks, scores, *_ = self._decoder.run(
                    None,
                    {
                        "image_embeddings": self._embedding(to_eight_bits(color), scale),
                        "point_coords": coordinates,
                        "point_labels": labels,
                        "mask_input": np.zeros((1, 1, _LOW, _LOW), np.float32),
                        "has_mask_input": np.zeros(1, np.float32),
                        "orig_im_size": np.array([height, width], np.float32),
                    },
                )
        except Exception as error:  # of ONNX Runtime, which has no base of its own
            raise ModelError(f"the segmenter does not run: {first_line(error)}") from error
        best = masks[0, int(np.argmax(scores[0]))]
        if best.shape != (height, width):
            raise ModelError(f"the segmenter answered {best.shape} to a photo of {height}×{width}")
        return np.asarray(best > 0)

    def _embedding(self, color: Pixels, scale: float) -> Any:
        height, width = color.shape[:2]
        size = max(1, round(width * scale)), max(1, round(height * scale))
        small = np.asarray(Image.fromarray(np.ascontiguousarray(color)).resize(size))
        key = hashlib.blake2b(small.tobytes()).digest()
        if self._seen is None or self._seen[0] != key:
            padded: Floats = np.zeros((self._side, self._side, 3), np.float32)
            padded[: size[1], : size[0]] = (small - _MEAN) / _DEVIATION
            entry = np.ascontiguousarray(padded.transpose(2, 0, 1)[None])
            self._seen = key, self._encoder.run(None, {self._entry: entry})[0]
        return self._seen[1]


def _points(prompt: Prompt, scale: float) -> tuple[Floats, Floats]:
    """Points as 1×N×2 in the encoder's pixels, and labels: 1 on, 0 beside, 2 and 3 a box's ends."""
    points = [(*point, 1) for point in prompt.inside] + [(*point, 0) for point in prompt.outside]
    if prompt.box is not None:
        x, y, width, height = prompt.box
        points += [(x, y, 2), (x + width, y + height, 3)]
    else:
        points.append((0, 0, -1))  # padding, which decoders want where there is no box
    array = np.array(points, np.float32)
    return (array[None, :, :2] * scale).astype(np.float32), array[None, :, 2]


def _files(path: Path) -> tuple[Path, Path]:
    if path.is_dir():
        pairs = [sorted(path.glob(f"*{word}*.onnx")) for word in ("encoder", "decoder")]
        if any(len(found) != 1 for found in pairs):
            raise ModelError(f"{path} must hold one *encoder*.onnx and one *decoder*.onnx")
        return pairs[0][0], pairs[1][0]
    encoder = path.with_name(path.name.replace("decoder", "encoder"))
    decoder = path.with_name(path.name.replace("encoder", "decoder"))
    for file in (encoder, decoder):
        if encoder == decoder or not file.is_file():
            raise ModelError(
                f"{file} is missing: a segmenter is an *encoder*.onnx and a *decoder*.onnx"
            )
    return encoder, decoder


def _session(file: Path) -> Any:
    import onnxruntime

    try:
        return onnxruntime.InferenceSession(str(file), providers=["CPUExecutionProvider"])
    except Exception as error:  # of any kind, as broken as the file
        raise ModelError(
            f"{file} is not an ONNX file that runs here: {first_line(error)}"
        ) from error
