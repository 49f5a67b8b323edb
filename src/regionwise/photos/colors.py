"""Colours from what a file holds to the RGB that a network sees, and back for filled pixels."""

from __future__ import annotations

import functools
import io
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from regionwise.arrays import Pixels


def luminance(color: Pixels) -> Pixels:
    """Grey of RGB (ITU-R BT.601 weights, as Pillow's mode L), same type; equal channels stay.

    Args:
        color: …×3, uint8 or uint16.
    """
    red, green, blue = (color[..., channel].astype(np.uint32) for channel in range(3))
    # The weights add up to 65536, so the sum stays below 2**32 for 16 bits too.
    weighted = red * 19595 + green * 38470 + blue * 7471 + 32768
    return (weighted >> 16).astype(color.dtype)


def rgb_from_cmyk(samples: npt.NDArray[np.uint8], profile: bytes) -> npt.NDArray[np.uint8]:
    """RGB of ink amounts (height×width×4, 0 = none): by the profile, else plain inversion."""
    height, width = samples.shape[:2]
    image = Image.frombuffer("CMYK", (width, height), samples.tobytes(), "raw", "CMYK", 0, 1)
    return np.asarray(_converted(image, profile, "RGB"))


def cmyk_from_rgb(color: npt.NDArray[np.uint8], profile: bytes) -> npt.NDArray[np.uint8]:
    """Ink amounts of RGB (height×width×3), the other way round."""
    image = Image.fromarray(np.ascontiguousarray(color))
    return np.asarray(_converted(image, profile, "CMYK"))


def _converted(image: Image.Image, profile: bytes, mode: str) -> Image.Image:
    transform = _transform(profile, mode) if profile else None
    if transform is None:
        return image.convert(mode)
    from PIL import ImageCms

    return ImageCms.applyTransform(image, transform) or image.convert(mode)


@functools.lru_cache(maxsize=8)
def _transform(profile: bytes, mode: str) -> Any:
    """LittleCMS's way from the profile to sRGB, or back; None if the profile can't be used."""
    from PIL import ImageCms

    try:
        ink = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        screen = ImageCms.createProfile("sRGB")
        to_screen = mode == "RGB"
        return ImageCms.buildTransform(
            ink if to_screen else screen,
            screen if to_screen else ink,
            "CMYK" if to_screen else "RGB",
            mode,
            renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC,
            flags=ImageCms.Flags.BLACKPOINTCOMPENSATION,
        )
    except (ImageCms.PyCMSError, OSError, TypeError, ValueError):
        return None


def palette_index(colors: Pixels, palette: npt.NDArray[np.uint8]) -> Pixels | None:
    """Index of each colour (N×3) in a palette (256×4), or None if one is not an opaque entry."""
    weights = np.array([1 << 16, 1 << 8, 1], np.uint32)
    entries = np.flatnonzero(palette[:, 3] == 255)
    keys = palette[entries, :3].astype(np.uint32) @ weights
    order = np.argsort(keys, kind="stable")
    wanted = colors.astype(np.uint32) @ weights
    place = np.searchsorted(keys[order], wanted).clip(max=max(len(keys) - 1, 0))
    if not len(keys) or not np.array_equal(keys[order][place], wanted):
        return None
    index: Pixels = entries[order][place].astype(np.uint8)
    return index
