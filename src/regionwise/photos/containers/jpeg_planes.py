"""The luma and chroma planes of a JPEG as they lie in the file, for an encoder to take again.

Decoding to RGB and encoding again with the same tables is not neutral: the decoder smooths
subsampled chroma and clips colours, and the encoder cannot undo that. Its own planes can be encoded
again nearly without loss: the inverse DCT of a block, rounded to 8 bits, comes back to the very
same coefficients unless the table's steps are as small as 1 or 2, or samples were clipped at black
or white.

Source: libjpeg-turbo's jdsample.c and jdmaster.c; ITU-T T.81.
"""

from __future__ import annotations

import io
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import numpy.typing as npt
from PIL import Image, JpegImagePlugin

from regionwise.arrays import Pixels

FULL, HALF_WIDTH, HALF = 0, 1, 2  # Pillow's numbers for 4:4:4, 4:2:2 and 4:2:0
_RATIO = 2 * 2**0.5 - 3
_TERMS, _STRIP = 4, 32


def planes(data: bytes, subsampling: int) -> Image.Image:
    """Decode a JPEG of three components, YCbCr, to an image of mode YCbCr and full size.

    Subsampled chroma is repeated, not smoothed, so that an encoder's averages are the stored values
    again. For a subsampling other than the three above chroma is smooth.
    """
    from imagecodecs import jpeg8_decode

    header = JpegImagePlugin.JpegImageFile(io.BytesIO(data))
    width, height = header.size
    if subsampling == HALF and min(width, height) > 1:
        # At half scale libjpeg gives chroma as it is stored, and shrinks luma alone.
        with ThreadPoolExecutor(1) as pool:
            luma = pool.submit(jpeg8_decode, data, outcolorspace="GRAYSCALE")
            header.draft("YCbCr", (width // 2, height // 2))
            chroma = header.resize(
                (width, height), Image.Resampling.NEAREST, box=(0, 0, width / 2, height / 2)
            )
            return _with_luma(chroma, luma.result())
    samples = jpeg8_decode(data, outcolorspace="YCbCr")
    if subsampling == HALF_WIDTH and width > 4:  # narrower ones are not smoothed
        halves = np.empty((height, (width + 1) // 2, 3), np.uint8)
        for channel in (1, 2):
            _unsmooth(samples[..., channel], halves[..., channel])
        chroma = _image(halves).resize(
            (width, height), Image.Resampling.NEAREST, box=(0, 0, width / 2, height)
        )
        return _with_luma(chroma, samples[..., 0])
    return _image(samples)


def _image(samples: Pixels) -> Image.Image:
    height, width = samples.shape[:2]
    return Image.frombuffer("YCbCr", (width, height), samples, "raw", "YCbCr", 0, 1)


def _with_luma(image: Image.Image, luma: Pixels) -> Image.Image:
    """Put luma in its place; `Image.merge` does the same in five times the time."""
    image.im.putband(Image.fromarray(np.ascontiguousarray(luma)).im, 0)
    return image


def _unsmooth(plane: npt.NDArray[np.uint8], stored: npt.NDArray[np.uint8]) -> None:
    """Take back libjpeg's smooth doubling of a plane's width ("fancy upsampling").

    The decoder makes two columns of one: c becomes (3 c + left) / 4 and (3 c + right) / 4, so the
    mean of a pair is (left + 6 c + right) / 8. The inverse of that filter is the two-sided
    geometric series r^|k| with r = 2 sqrt(2) - 3. Four terms of it leave an error of 0.1 % of
    the contrast, less than rounding does.

    Args:
        plane: height×width.
        stored: height×(width / 2, rounded up), to be written.
    """
    odd = plane.shape[1] % 2
    gain = 0.5 / sum(_RATIO**power for power in range(_TERMS)) ** 2  # a flat plane stays
    for top in range(0, len(plane), _STRIP):  # a strip stays in the processor's cache
        strip = plane[top : top + _STRIP]
        strip = np.pad(strip, ((0, 0), (0, 1)), mode="edge") if odd else strip
        sums = strip[:, ::2].astype(np.float32) + strip[:, 1::2]
        series = np.pad(sums, ((0, 0), (_TERMS, _TERMS)), mode="symmetric")
        for step in (1, 2):
            series[:, step:] += _RATIO**step * series[:, :-step]
        for step in (1, 2):
            series[:, :-step] += _RATIO**step * series[:, step:]
        series *= gain
        stored[top : top + _STRIP] = np.rint(series[:, _TERMS:-_TERMS]).clip(0, 255)
