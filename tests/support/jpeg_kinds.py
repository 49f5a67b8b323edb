"""JPEG files of every kind that is spliced."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import numpy as np
from PIL import Image, ImageFile

FOLDER = Path(__file__).parents[1] / "fixtures" / "jpeg"

ImageFile.MAXBLOCK = 1 << 24  # Pillow guesses too small a buffer for optimised tables


def picture(height: int, width: int, channels: int = 3, seed: int = 0) -> np.ndarray:
    """Something like a photo: shades, edges, grain, and spots of pure black and white."""
    random = np.random.default_rng(seed)
    y, x = np.mgrid[:height, :width] / 24
    waves = [
        np.sin(x * (1 + c / 3) + seed) * np.cos(y + c) + ((x + y * (c + 1)) % 2 > 1)
        for c in range(channels)
    ]
    samples = 60 * np.stack(waves, axis=2) + 110 + random.normal(0, 6, (height, width, channels))
    samples[: height // 5, : width // 4] += 160
    samples[-height // 5 :, : width // 4] -= 200
    return samples.clip(0, 255).astype(np.uint8)


def pillow(samples: np.ndarray, **options: object) -> bytes:
    buffer = io.BytesIO()
    mode = {1: "L", 3: "RGB", 4: "CMYK"}[samples.shape[2]]
    image = Image.frombytes(mode, samples.shape[1::-1], samples.tobytes())
    image.save(buffer, "JPEG", **options)
    return buffer.getvalue()


ODD = (
    "YCCK", "4:4:0", "4:1:1", "4:1:0", "mixed", "one plane a scan", "two planes a scan", "bands",
    "many bits",
)  # fmt: skip
"""Kinds that Pillow does not write: `tests/fixtures/jpeg/make_odd_kinds.py` made them."""


def kinds(height: int, width: int, seed: int = 0) -> dict[str, bytes]:
    """A file of each kind, by name; sizes are those of `tests/fixtures/jpeg`."""
    rgb, grey, ink = (picture(height, width, n, seed) for n in (3, 1, 4))
    return {
        "4:4:4": pillow(rgb, quality=92, subsampling=0),
        "4:2:2": pillow(rgb, quality=85, subsampling=1),
        "4:2:0": pillow(rgb, quality=75, subsampling=2),
        "optimised": pillow(rgb, quality=80, optimize=True),
        "finest": pillow(rgb, quality=100, subsampling=0, optimize=True),
        "coarsest": pillow(rgb, quality=5, optimize=True),
        "restarts": pillow(rgb, quality=80, restart_marker_blocks=3),
        "grey": pillow(grey, quality=85),
        "grey progressive": pillow(grey, quality=85, progressive=True),
        "RGB": pillow(rgb, quality=85, keep_rgb=True),
        "CMYK": pillow(ink, quality=85),
        "progressive": pillow(rgb, quality=80, progressive=True),
        "progressive 4:4:4": pillow(rgb, quality=95, progressive=True, subsampling=0),
        "progressive restarts": pillow(rgb, quality=70, progressive=True, restart_marker_blocks=5),
    } | {name: odd_kind(name, height, width) for name in ODD}


def odd_kind(name: str, height: int, width: int) -> bytes:
    """A file of a kind that Pillow does not write; "arithmetic" is one more."""
    with zipfile.ZipFile(FOLDER / "odd_kinds.zip") as archive:
        return archive.read(f"{height}x{width}/{name}.jpg")
