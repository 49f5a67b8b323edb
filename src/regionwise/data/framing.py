"""From a photo's bytes to a square picture for training: decoded, cropped, scaled, turned.

Scaling is bicubic. A large JPEG is decoded at a half, a quarter or an eighth of its size where the
picture to be made is no larger than that: many times faster.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from regionwise.photos.reading import pillow_image
from regionwise.recipe.schema import DataSection

Crop = tuple[float, float, float, float]

_ORIENTATION = 0x0112
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def framed(content: bytes, data: DataSection, rng: np.random.Generator) -> NDArray[np.uint8]:
    """A square picture of a photo, upright, S×S×3.

    Args:
        content: the photo's file.
        data: which part, and at what scale.
        rng: where chance comes from.

    Raises:
        OSError: of Pillow, and others of its decoders, if the photo is broken.
    """
    photo = pillow_image(content)
    turn = _UPRIGHT.get(photo.getexif().get(_ORIENTATION, 1))
    scale = data.scale or data.size
    side = scale if data.framing == "polyphase" else data.size
    picture = _scaled(photo, _box(photo.size, data, rng), side)
    if turn is not None:  # a square can be turned last
        picture = picture.transpose(turn)
    if data.framing == "polyphase":
        stride = scale // data.size
        row, column = rng.integers(0, stride, 2)
        pixels = np.asarray(picture)[row::stride, column::stride]
    else:
        pixels = np.asarray(picture)
    if data.flip and rng.random() < 0.5:
        pixels = pixels[:, ::-1]
    if data.quarter_turns:
        pixels = np.rot90(pixels, int(rng.integers(0, 4)))
    return np.array(pixels)


def _box(size: tuple[int, int], data: DataSection, rng: np.random.Generator) -> Crop:
    """The part of a photo of (width, height) that becomes the picture."""
    width, height = size
    short = min(size)
    if data.framing in ("squash", "polyphase"):
        return (0, 0, width, height)
    if data.framing == "center-square":
        left, top = (width - short) // 2, (height - short) // 2
        return (left, top, left + short, top + short)
    if data.framing == "random-square":
        side = int(rng.integers(min(data.size, short), short + 1))
    else:
        side = max(round(short * data.size / (data.scale or data.size)), 1)
    left = int(rng.integers(0, width - side + 1))
    top = int(rng.integers(0, height - side + 1))
    return (left, top, left + side, top + side)


def _scaled(photo: Image.Image, box: Crop, side: int) -> Image.Image:
    """The box of the photo, scaled to side×side."""
    width, height = photo.size
    shrunk = side / min(box[2] - box[0], box[3] - box[1])
    photo.draft("RGB", (int(width * shrunk), int(height * shrunk)))
    across, down = photo.width / width, photo.height / height
    box = (box[0] * across, box[1] * down, box[2] * across, box[3] * down)
    box = (box[0], box[1], min(box[2], photo.width), min(box[3], photo.height))
    rgb = photo.convert("RGB")
    return rgb.resize((side, side), Image.Resampling.BICUBIC, box=box, reducing_gap=3.0)
