"""Decoded samples as a file holds them, before anyone makes RGB of them."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from regionwise.arrays import Pixels
from regionwise.photos.orientation import known_orientation
from regionwise.photos.tiff_directory import ORIENTATION

CHANNELS = {"1": 0, "L": 0, "P": 0, "LA": 2, "RGB": 3, "RGBA": 4, "CMYK": 4}


RAW = "is a camera's raw file; develop it to TIFF, PNG or JPEG first"
"""What to say of the many files that look like TIFF and hold a sensor's samples."""


class UnsupportedPixelsError(ValueError):
    """The file is sound, but its kind of pixels is not one of ours. The message names the mend."""


@dataclass(frozen=True, eq=False)
class Raster:
    """Samples of one picture, in Pillow's modes.

    Attributes:
        mode: "1" (bool), "L", "LA", "P" (index), "RGB", "RGBA" or "CMYK" (0 = no ink). L, LA, RGB
            and RGBA hold uint8 or uint16; the others uint8.
        samples: height×width, or height×width×channels.
        palette: 256×4 uint8 RGBA, for mode P.
        info: what Pillow says besides (its `Image.info`).
        orientation: how the samples must be turned to be upright, 1 to 8 as in EXIF.
    """

    mode: str
    samples: Pixels
    palette: npt.NDArray[np.uint8] | None = None
    info: Mapping[str, Any] = field(default_factory=dict)
    orientation: int = 1

    @property
    def is_deep(self) -> bool:
        """Whether the samples have 16 bits."""
        return self.samples.dtype == np.uint16


def raster_from_array(samples: Pixels) -> Raster:
    """Name the mode of bool, uint8 or uint16 samples by their shape.

    Raises:
        UnsupportedPixelsError: for any other shape or type.
    """
    if samples.dtype != bool and samples.dtype != np.uint8 and samples.dtype != np.uint16:
        raise UnsupportedPixelsError(
            f"has samples of {samples.dtype}; regionwise takes 8 or 16 bits without a sign"
        )
    channels = samples.shape[2] if samples.ndim == 3 else 0
    if channels == 1:
        samples, channels = samples[..., 0], 0
    modes = {0: "1" if samples.dtype == bool else "L", 2: "LA", 3: "RGB", 4: "RGBA"}
    if samples.ndim not in (2, 3) or channels not in modes or (channels and samples.dtype == bool):
        raise UnsupportedPixelsError(
            f"has the shape {samples.shape}; give height×width, or ×1, 2, 3 or 4 channels"
        )
    if 0 in samples.shape:
        raise UnsupportedPixelsError(f"has the shape {samples.shape} and so no pixels")
    return Raster(modes[channels], samples)


def raster_from_pil(image: Image.Image) -> Raster:
    """Take the samples of a Pillow image as they are; a colour key becomes an alpha channel.

    Raises:
        UnsupportedPixelsError: for modes of 32 bits, floats and colour spaces other than RGB, CMYK
            and grey.
    """
    image.load()
    orientation = orientation_of(image)
    info = {str(key): value for key, value in image.info.items()}
    if image.mode == "P":
        return Raster("P", np.asarray(image), _palette(image), info, orientation)
    if image.mode in ("PA", "RGBX"):
        image = image.convert("RGBA" if image.mode == "PA" else "RGB")
    if image.mode.startswith("I;16"):
        samples = np.asarray(image).astype(np.uint16, copy=False)
        return Raster("L", samples, info=info, orientation=orientation)
    if image.mode not in CHANNELS:
        mend = "16 bits (mode I;16) or 8 bits" if image.mode in ("I", "F") else "RGB"
        raise UnsupportedPixelsError(
            f"has pixels of Pillow's mode {image.mode}; convert it to {mend} first"
        )
    raster = Raster(image.mode, np.asarray(image), info=info, orientation=orientation)
    key = info.get("transparency")
    return raster if key is None else _with_color_key(raster, key)


def orientation_of(image: Image.Image) -> int:
    """EXIF's orientation, else that of XMP; a block that can't be read counts as upright."""
    try:
        return known_orientation(image.getexif().get(ORIENTATION))
    except (SyntaxError, ValueError, KeyError, TypeError, struct.error):
        return 1


def _palette(image: Image.Image) -> npt.NDArray[np.uint8]:
    """The palette of a mode P image as 256×4 RGBA; missing entries are opaque black."""
    palette = np.zeros((256, 4), np.uint8)
    palette[:, 3] = 255
    entries = np.array(image.getpalette("RGBA") or [], np.uint8).reshape(-1, 4)[:256]
    palette[: len(entries)] = entries
    transparency = image.info.get("transparency")
    if isinstance(transparency, int) and 0 <= transparency < 256:
        palette[transparency, 3] = 0
    elif isinstance(transparency, bytes):
        alphas = np.frombuffer(transparency, np.uint8)[:256]
        palette[: len(alphas), 3] = alphas
    return palette


def _with_color_key(raster: Raster, key: Any) -> Raster:
    """Turn "this one colour is transparent" (PNG's tRNS) into alpha, colours kept."""
    if raster.mode not in ("1", "L", "RGB"):
        return raster
    samples = raster.samples
    if samples.dtype == bool:
        samples = samples * np.uint8(255)
        key = 255 if key else 0
    matches = samples == np.asarray(key)
    if samples.ndim == 3:
        matches = matches.all(axis=2)
    opaque = np.iinfo(samples.dtype).max
    alpha = np.where(matches, 0, opaque).astype(samples.dtype)
    info = {name: value for name, value in raster.info.items() if name != "transparency"}
    mode = "RGBA" if samples.ndim == 3 else "LA"
    return replace(raster, mode=mode, samples=np.dstack([samples, alpha]), info=info)


def pil_from_raster(raster: Raster) -> Image.Image:
    """Make a Pillow image of the same mode.

    16-bit grey becomes mode I;16. Pillow has no mode for other 16-bit pictures: they lose their low
    byte, as when Pillow itself reads such a file.
    """
    samples = raster.samples
    if raster.mode == "1":
        return Image.fromarray(np.ascontiguousarray(samples, dtype=bool))
    mode = raster.mode
    if raster.is_deep and mode == "L":
        mode = "I;16"
    elif raster.is_deep:
        samples = (samples >> 8).astype(np.uint8)
    samples = np.ascontiguousarray(samples)
    height, width = samples.shape[:2]
    if mode == "I;16":
        samples = samples.astype("<u2", copy=False)
    image = Image.frombuffer(mode, (width, height), samples, "raw", mode, 0, 1)
    if raster.palette is not None:
        opaque = bool((raster.palette[:, 3] == 255).all())
        colors = raster.palette[:, :3]
        image.putpalette(np.ascontiguousarray(colors).tobytes(), "RGB")
        if not opaque:
            image.info["transparency"] = raster.palette[:, 3].tobytes()
    return image


def to_eight_bits(samples: Pixels) -> npt.NDArray[np.uint8]:
    """Round 16-bit samples to 8 bits (65535 becomes 255); 8-bit samples come back as they are."""
    if samples.dtype != np.uint16:
        return samples
    return ((samples.astype(np.uint32) * 255 + 32767) // 65535).astype(np.uint8)
