"""Small photos as files of every kind, for tests."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
import pytest
from hypothesis import HealthCheck, settings
from PIL import Image, ImageCms, ImageOps
from tests.support.pictures import open_picture

from regionwise.photos.photo import Photo
from regionwise.photos.reading import read_photo

QUICK = settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
XMP = b'<?xpacket begin=""?><x:xmpmeta xmlns:x="adobe:ns:meta/">a</x:xmpmeta><?xpacket end="w"?>'
SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
LOSSLESS = {
    "PNG": ("1", "L", "LA", "P", "RGB", "RGBA", "L16", "LA16", "RGB16", "RGBA16"),
    "TIFF": ("1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "L16", "LA16", "RGB16", "RGBA16"),
    "WEBP": ("RGB", "RGBA"),
    "BMP": ("1", "L", "P", "RGB", "RGBA"),
}


def noise(mode: str, height: int, width: int, seed: int = 0) -> np.ndarray:
    generator = np.random.default_rng(seed)
    channels = {"LA": 2, "RGB": 3, "RGBA": 4, "CMYK": 4}.get(mode.removesuffix("16"))
    shape = (height, width) if channels is None else (height, width, channels)
    if mode == "1":
        return generator.integers(0, 2, shape).astype(bool)
    if mode.endswith("16"):
        return generator.integers(0, 65536, shape).astype(np.uint16)
    return generator.integers(0, 256, shape).astype(np.uint8)


def exif_of(orientation: int) -> Image.Exif:
    exif = Image.Exif()
    exif[0x0112] = orientation
    exif[0x010F] = "a maker"
    exif.get_ifd(0x8769)[0x9003] = "2020:01:02 03:04:05"
    exif.get_ifd(0x8825)[1] = "N"
    return exif


def saved(image: Image.Image, kind: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def file_of(kind: str, mode: str, samples: np.ndarray, orientation: int) -> bytes:
    """A file as other programs write it: Pillow for 8 bits, tifffile and imagecodecs for 16."""
    if not mode.endswith("16"):
        height, width = samples.shape[:2]
        image = (
            Image.fromarray(samples)
            if mode == "1"
            else Image.frombytes(mode, (width, height), samples.tobytes())
        )
        if mode == "P":
            image.putpalette(np.random.default_rng(1).bytes(768))
        options: dict[str, object] = {}
        if kind != "BMP":
            options = {"exif": exif_of(orientation)}
        if kind == "WEBP":
            options |= {"lossless": True, "exact": True}
        if kind == "TIFF":
            options |= {"compression": "tiff_lzw"}
        return saved(image, kind, **options)
    if kind == "PNG":
        import imagecodecs

        encoded = imagecodecs.png_encode(samples)
        exif = exif_of(orientation).tobytes().removeprefix(b"Exif\0\0")
        return encoded[:33] + png_chunk(b"eXIf", exif) + encoded[33:]
    import tifffile

    buffer = io.BytesIO()
    tifffile.imwrite(
        buffer,
        samples,
        photometric="rgb" if mode.startswith("RGB") else "minisblack",
        planarconfig="contig" if samples.ndim == 3 else None,
        extrasamples=["unassalpha"] if "A" in mode else None,
        compression="zlib",
        extratags=[(274, 3, 1, orientation, True), (271, 2, 0, "a maker", True)],
    )
    return buffer.getvalue()


def png_chunk(kind: bytes, payload: bytes) -> bytes:
    checksum = zlib.crc32(kind + payload)
    return struct.pack(">I", len(payload)) + kind + payload + struct.pack(">I", checksum)


def decoded(data: bytes, mode: str) -> np.ndarray:
    """What another program sees, in the orientation of the file; a palette is looked up."""
    if data[:2] in (b"II", b"MM"):  # Pillow would turn it
        import tifffile

        with tifffile.TiffFile(io.BytesIO(data)) as file:
            page = file.pages[0]
            samples = page.asarray()
            return (
                samples
                if page.photometric != 3
                else (page.colormap.T >> 8).astype(np.uint8)[samples]
            )
    if mode.endswith("16"):
        import imagecodecs

        return imagecodecs.png_decode(data)
    image = open_picture(io.BytesIO(data))
    return np.asarray(image.convert("RGB") if image.mode == "P" else image)


def turned(array: np.ndarray, orientation: int) -> np.ndarray:
    """Pillow's own way from stored to upright."""
    image = Image.fromarray(array.astype(np.uint8) * 255)
    exif = Image.Exif()
    exif[0x0112] = orientation
    image.info["exif"] = exif.tobytes()
    return np.asarray(ImageOps.exif_transpose(image)) > 0


def filled_with(data: bytes, value: int = 90, side: int = 1) -> Photo:
    """The photo with its upper left corner filled."""
    photo = read_photo(data)
    color = np.full((side, side, 3), value, photo.color.dtype)
    return photo.with_fills([(0, 0, color, np.ones((side, side), bool))])


def smooth(height: int, width: int, seed: int = 0) -> np.ndarray:
    """A picture without clipped samples, as rough as a photo."""
    generator = np.random.default_rng(seed)
    coarse = generator.integers(60, 196, (height // 6 + 2, width // 6 + 2, 3)).astype(np.uint8)
    image = Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC)
    rough = np.asarray(image) + generator.normal(0, 4, (height, width, 3))
    return rough.clip(0, 255).astype(np.uint8)


def one_line(error: pytest.ExceptionInfo[Exception]) -> str:
    text = str(error.value)
    assert "\n" not in text
    assert len(text) < 300
    return text
