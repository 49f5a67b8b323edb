"""Small files of every format, and what chance makes of them."""

from __future__ import annotations

import io
from functools import lru_cache

import numpy as np
from PIL import Image
from tests.support.photo_files import XMP, exif_of, file_of, noise, saved, smooth

from regionwise.photos.formats import FORMATS

SIZE = (24, 32)


@lru_cache
def sources() -> dict[str, tuple[bytes, ...]]:
    """Sound files by suffix, several kinds of each format."""
    image = Image.fromarray(smooth(*SIZE))
    alpha = Image.fromarray(noise("RGBA", *SIZE))
    more = [Image.fromarray(smooth(*SIZE, seed)) for seed in (1, 2)]
    exif = exif_of(6)
    found = {
        "png": (
            saved(image, "PNG", exif=exif),
            saved(alpha, "PNG"),
            saved(image.quantize(16), "PNG"),
            file_of("PNG", "RGB16", noise("RGB16", *SIZE), 6),
            saved(image, "PNG", save_all=True, append_images=more),
        ),
        "tif": (
            saved(image, "TIFF", compression="tiff_lzw", exif=exif),
            saved(image, "TIFF", compression="jpeg"),
            file_of("TIFF", "RGBA16", noise("RGBA16", *SIZE), 3),
            saved(image.convert("CMYK"), "TIFF"),
            saved(image, "TIFF", save_all=True, append_images=more),
        ),
        "bmp": (saved(image, "BMP"), saved(image.quantize(16), "BMP")),
        "gif": (
            saved(image.quantize(64), "GIF"),
            saved(image.quantize(64), "GIF", save_all=True, append_images=more, loop=1),
        ),
        "webp": (
            saved(image, "WEBP", exif=exif, xmp=XMP),
            saved(alpha, "WEBP", lossless=True),
            saved(image, "WEBP", save_all=True, append_images=more),
        ),
        "jpg": (
            saved(image, "JPEG", exif=exif),
            saved(image, "JPEG", progressive=True, subsampling=2),
            saved(image.convert("CMYK"), "JPEG"),
            saved(image.convert("L"), "JPEG"),
            2 * saved(image, "JPEG"),
        ),
        "avif": (
            saved(image, "AVIF", exif=exif, xmp=XMP),
            saved(alpha, "AVIF"),
            saved(image, "AVIF", save_all=True, append_images=more, duration=80, xmp=XMP),
        ),
        "jp2": _by_imagecodecs("jpeg2k_encode"),
        "jxl": (*_by_imagecodecs("jpegxl_encode"), _animated_jpeg_xl()),
    }
    if all(one.lacks is None for one in FORMATS):
        import pillow_heif

        buffer = io.BytesIO()
        pillow_heif.from_pillow(image).save(buffer, quality=60)
        found["heic"] = (buffer.getvalue(),)
    return found


def _by_imagecodecs(name: str) -> tuple[bytes, ...]:
    import imagecodecs

    encode = getattr(imagecodecs, name)
    return tuple(bytes(encode(noise(mode, *SIZE), 0)) for mode in ("RGB", "RGBA", "L16"))


def _animated_jpeg_xl() -> bytes:
    import imagecodecs

    frames = np.stack([noise("RGB", *SIZE, seed) for seed in (1, 2)])
    return bytes(imagecodecs.jpegxl_encode(frames, lossless=True))


def mutated(kind: str, seed: int) -> bytes:
    """One of a format's files with some of it changed; now and then none."""
    rng = np.random.default_rng(seed)
    files = sources()[kind]
    data = bytearray(files[rng.integers(len(files))])
    for _ in range(rng.integers(0, 4)):
        ways = (_flip, _replace, _cut, _repeat, _zero, _number, _splice)
        data = ways[rng.integers(len(ways))](data, rng, kind)
    return bytes(data)


def _place(data: bytearray, rng: np.random.Generator) -> int:
    """Headers are short and tell most: half of the places lie in the first 200 bytes."""
    high = len(data) if rng.random() < 0.5 else min(len(data), 200)
    return int(rng.integers(0, max(high, 1)))


def _flip(data: bytearray, rng: np.random.Generator, kind: str) -> bytearray:
    for _ in range(rng.integers(1, 9)):
        if data:
            data[_place(data, rng)] ^= 1 << int(rng.integers(8))
    return data


def _replace(data: bytearray, rng: np.random.Generator, kind: str) -> bytearray:
    at = _place(data, rng)
    length = int(rng.integers(1, 9))
    data[at : at + length] = rng.bytes(length)
    return data


def _cut(data: bytearray, rng: np.random.Generator, kind: str) -> bytearray:
    return data[: int(rng.integers(0, len(data) + 1))]


def _repeat(data: bytearray, rng: np.random.Generator, kind: str) -> bytearray:
    begin = _place(data, rng)
    part = data[begin : begin + int(rng.integers(1, 64))]
    return data[:begin] + part * int(rng.integers(2, 6)) + data[begin:]


def _zero(data: bytearray, rng: np.random.Generator, kind: str) -> bytearray:
    at, length = _place(data, rng), int(rng.integers(1, 33))
    data[at : at + length] = bytes(len(data[at : at + length]))
    return data


def _number(data: bytearray, rng: np.random.Generator, kind: str) -> bytearray:
    """A length or a size becomes extreme."""
    at, width = _place(data, rng), int(rng.choice([2, 4]))
    value = int(rng.choice([0, 1, 0x7F, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF]))
    order = "big" if rng.random() < 0.5 else "little"
    data[at : at + width] = (value % (1 << 8 * width)).to_bytes(width, order)
    return data


def _splice(data: bytearray, rng: np.random.Generator, kind: str) -> bytearray:
    """The beginning of one file and the end of another, of any format."""
    kinds = sorted(sources())
    other = sources()[kinds[rng.integers(len(kinds))]][0]
    return data[: _place(data, rng)] + other[_place(bytearray(other), rng) :]
