"""What reading, filling a small hole and writing costs, against Pillow's decoding and encoding.

Run: python benchmarks/photo_round_trip.py [--megapixels 24] [--repeats 3]
Prints, for each kind of file, the seconds of both, their ratio, and how far known pixels moved:
near the hole (within 24 pixels, the reach of a JPEG block with its chroma) and elsewhere.
"""

from __future__ import annotations

import argparse
import io
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from PIL import Image

from regionwise.photos.masks import grow
from regionwise.photos.reading import read_photo
from regionwise.photos.writing import encode_photo

HOLE = 100  # pixels a side
KINDS: dict[str, tuple[str, dict[str, Any]]] = {
    "JPEG 4:2:0, quality 75": ("JPEG", {"quality": 75, "subsampling": 2}),
    "JPEG 4:2:0, quality 90": ("JPEG", {"quality": 90, "subsampling": 2}),
    "JPEG 4:2:2, quality 95": ("JPEG", {"quality": 95, "subsampling": 1}),
    "JPEG 4:4:4, quality 95": ("JPEG", {"quality": 95, "subsampling": 0}),
    "PNG": ("PNG", {}),
    "TIFF, LZW": ("TIFF", {"compression": "tiff_lzw"}),
    "BMP": ("BMP", {}),
}


def picture(megapixels: float) -> Image.Image:
    """A picture as smooth and as rough as a photo: noise of all scales, 3:2."""
    height = int((megapixels * 1e6 / 1.5) ** 0.5)
    width = int(height * 1.5)
    generator = np.random.default_rng(0)
    total = np.zeros((height, width, 3), np.float32)
    for scale, weight in ((512, 60), (64, 25), (8, 8), (1, 2)):
        coarse = generator.normal(0, weight, (height // scale + 2, width // scale + 2, 3))
        for channel in range(3):
            plane = Image.fromarray(coarse[..., channel].astype(np.float32))
            total[..., channel] += plane.resize((width, height), Image.Resampling.BICUBIC)
    return Image.fromarray((total + 128).clip(0, 255).astype(np.uint8))


def encoded(image: Image.Image, kind: str, options: dict[str, Any]) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def seconds(work: Callable[[], Any], repeats: int) -> float:
    """The fastest of several runs."""
    times = []
    for _ in range(repeats):
        begin = time.perf_counter()
        work()
        times.append(time.perf_counter() - begin)
    return min(times)


def plain(data: bytes, kind: str, options: dict[str, Any]) -> bytes:
    image = Image.open(io.BytesIO(data))
    image.load()
    return encoded(image, kind, options)


def filled(data: bytes) -> bytes:
    photo = read_photo(data)
    top, left = photo.height // 2, photo.width // 2
    color = np.full((HOLE, HOLE, 3), 90, photo.color.dtype)
    return encode_photo(photo.with_fills([(top, left, color, np.ones((HOLE, HOLE), bool))]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--megapixels", type=float, default=24)
    parser.add_argument("--repeats", type=int, default=3)
    arguments = parser.parse_args()
    image = picture(arguments.megapixels)
    print(f"{image.width}x{image.height}, hole {HOLE}x{HOLE}")
    print(f"{'':24}{'Pillow':>8}{'ours':>8}{'ratio':>7}{'near':>6}{'elsewhere':>11}{'changed':>9}")
    for name, (kind, options) in KINDS.items():
        data = encoded(image, kind, options)
        theirs = seconds(lambda d=data, k=kind, o=options: plain(d, k, o), arguments.repeats)
        ours = seconds(lambda d=data: filled(d), arguments.repeats)
        before, after = read_photo(data).color, read_photo(filled(data)).color
        hole = np.zeros(before.shape[:2], bool)
        top, left = before.shape[0] // 2, before.shape[1] // 2
        hole[top : top + HOLE, left : left + HOLE] = True
        near = grow(hole, 24) & ~hole
        moved = np.maximum(before, after) - np.minimum(before, after)
        far = moved[~(near | hole)]
        print(
            f"{name:24}{theirs:8.2f}{ours:8.2f}{ours / theirs:7.2f}{moved[near].max():6}"
            f"{far.max():11}{(far > 0).any(axis=1).mean():9.4%}"
        )


if __name__ == "__main__":
    main()
