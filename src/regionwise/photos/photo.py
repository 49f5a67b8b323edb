"""A photo in memory: upright RGB to work on, and what its file held besides."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from regionwise.arrays import Mask, Pixels
from regionwise.photos.colors import cmyk_from_rgb, luminance, palette_index, rgb_from_cmyk
from regionwise.photos.orientation import stored, upright
from regionwise.photos.raster import Raster


@dataclass(frozen=True, eq=False)
class Filled:
    """A window of the upright photo whose pixels under `hole` are new."""

    top: int
    left: int
    hole: Mask

    @property
    def window(self) -> tuple[slice, slice]:
        """The window as an index into the photo."""
        height, width = self.hole.shape
        return slice(self.top, self.top + height), slice(self.left, self.left + width)


@dataclass(frozen=True, eq=False)
class Photo:
    """A picture, upright, and what is needed to write it back as it was.

    Attributes:
        color: height×width×3 RGB, uint8 or uint16, C-contiguous. Not to be written to.
        alpha: height×width of the same type, 0 = transparent, or None.
        mode: Pillow's name for the file's own kind of pixels: 1, L, LA, P, RGB, RGBA or CMYK.
        format: JPEG, PNG, WEBP, TIFF or BMP; None for arrays and images without a file.
        orientation: how the file holds its pixels, 1 to 8 as in EXIF.
        native: the file's own samples, upright, where RGB can't give them back: palette index
            (height×width) or ink (height×width×4).
        palette: 256×4 RGBA, for mode P.
        info: what Pillow says of the file.
        source: the file's bytes; None for arrays and Pillow images.
        filled: the windows filled so far.
    """

    color: Pixels = field(repr=False)
    alpha: Pixels | None = field(default=None, repr=False)
    mode: str = "RGB"
    format: str | None = None
    orientation: int = 1
    native: npt.NDArray[np.uint8] | None = field(default=None, repr=False)
    palette: npt.NDArray[np.uint8] | None = field(default=None, repr=False)
    info: Mapping[str, Any] = field(default_factory=dict, repr=False)
    source: bytes | None = field(default=None, repr=False)
    filled: tuple[Filled, ...] = field(default=(), repr=False)

    @property
    def height(self) -> int:
        """Rows of the upright picture."""
        return int(self.color.shape[0])

    @property
    def width(self) -> int:
        """Columns of the upright picture."""
        return int(self.color.shape[1])

    def with_fill(self, color: Pixels, hole: Mask) -> Photo:
        """Fill the hole.

        Args:
            color: height×width×3 RGB of the type of `self.color`; read under the hole only.
            hole: height×width bool.

        Returns:
            A new photo. Known pixels keep the file's own samples. A grey photo stays grey, filled
            by luminance; CMYK stays ink. Filled pixels become opaque. A palette photo becomes
            truecolour if a filled colour is not in its palette.
        """
        if hole.shape != (self.height, self.width):
            raise ValueError(f"a hole of {hole.shape} for a photo of {self.color.shape[:2]}")
        rows, columns = np.flatnonzero(hole.any(axis=1)), np.flatnonzero(hole.any(axis=0))
        if not len(rows):
            return self
        box = np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
        return self.with_fills([(int(rows[0]), int(columns[0]), color[box], hole[box])])

    def with_fills(self, fills: Sequence[tuple[int, int, Pixels, Mask]]) -> Photo:
        """Fill several windows, at no cost for the rest of the photo but one copy.

        Args:
            fills: (top, left, color, hole) each, with color height×width×3 and hole height×width of
                the window, which lies within the photo. Where windows overlap the last one counts.

        Returns:
            A new photo, as `with_fill` gives it.
        """
        fills = [fill for fill in fills if fill[3].any()]
        if not fills:
            return self
        color = self.color.copy()
        alpha = None if self.alpha is None else self.alpha.copy()
        native = None if self.native is None else self.native.copy()
        mode = self.mode
        filled = []
        for top, left, crop, hole in fills:
            done = Filled(top, left, hole)
            self._check_fill(done, crop)
            shown, samples = self._native_fill(crop, hole)
            color[done.window][hole] = shown[hole]
            if alpha is not None:
                alpha[done.window][hole] = np.iinfo(alpha.dtype).max
            if native is not None and samples is not None:
                native[done.window][hole] = samples
            elif native is not None:
                native, mode = None, "RGB" if alpha is None else "RGBA"
            filled.append(done)
        return replace(
            self,
            color=color,
            alpha=alpha,
            mode=mode,
            native=native,
            palette=self.palette if mode == "P" else None,
            filled=(*self.filled, *filled),
        )

    def _check_fill(self, fill: Filled, crop: Pixels) -> None:
        height, width = fill.hole.shape
        inside = 0 <= fill.top <= self.height - height and 0 <= fill.left <= self.width - width
        if not inside or crop.shape != (height, width, 3) or fill.hole.dtype != bool:
            raise ValueError(
                f"a fill of {crop.shape} with a hole of {fill.hole.shape} at row {fill.top}, "
                f"column {fill.left} does not fit a photo of {self.color.shape}"
            )
        if crop.dtype != self.color.dtype:
            raise ValueError(f"a fill of {crop.dtype} for a photo of {self.color.dtype}")

    def _native_fill(self, crop: Pixels, hole: Mask) -> tuple[Pixels, Pixels | None]:
        """A window's colours as the photo's mode can show them, and its samples under the hole."""
        if self.mode in ("1", "L", "LA"):
            grey = luminance(crop)
            if self.mode == "1":
                grey = np.where(grey >= 128, np.uint8(255), np.uint8(0))
            return np.broadcast_to(grey[..., None], crop.shape), None
        if self.mode == "CMYK":
            profile = self.info.get("icc_profile") or b""
            ink = cmyk_from_rgb(crop, profile)
            return rgb_from_cmyk(ink, profile), ink[hole]
        if self.mode == "P" and self.palette is not None:
            return crop, palette_index(crop[hole], self.palette)
        return crop, None

    def turned(self, orientation: int) -> Photo:
        """The picture turned as that EXIF orientation says; what its file said is forgotten."""
        return Photo(
            np.ascontiguousarray(upright(self.color, orientation)),
            None if self.alpha is None else np.ascontiguousarray(upright(self.alpha, orientation)),
            self.mode,
            native=None
            if self.native is None
            else np.ascontiguousarray(upright(self.native, orientation)),
            palette=self.palette,
        )

    def raster(self, orientation: int = 1) -> Raster:
        """The photo in its own mode, stored in the given orientation."""
        samples: Pixels
        if self.native is not None:
            samples = self.native
        elif self.mode in ("1", "L", "LA"):
            samples = self.color[..., 0]
            samples = samples >= 128 if self.mode == "1" else samples
        else:
            samples = self.color
        if self.mode in ("LA", "RGBA"):
            samples = np.dstack([samples, self._opacity()])
        return Raster(self.mode, stored(samples, orientation), self.palette, self.info, orientation)

    def _opacity(self) -> Pixels:
        """Alpha, or opaque where there is none."""
        if self.alpha is not None:
            return self.alpha
        return np.full(self.color.shape[:2], np.iinfo(self.color.dtype).max, self.color.dtype)


def photo_from_raster(raster: Raster, kind: str | None, data: bytes | None) -> Photo:
    """Turn decoded samples upright and make RGB of them.

    Args:
        raster: what a file holds.
        kind: the file's format.
        data: the file's bytes.
    """
    samples = upright(raster.samples, raster.orientation)
    alpha: Pixels | None = None
    native: Pixels | None = None
    color: Pixels
    if raster.mode == "CMYK":
        native = np.ascontiguousarray(samples)
        color = rgb_from_cmyk(native, raster.info.get("icc_profile") or b"")
    elif raster.palette is not None:
        native = np.ascontiguousarray(samples)
        color = raster.palette[:, :3][native]
        if (raster.palette[:, 3] < 255).any():
            alpha = raster.palette[:, 3][native]
    elif raster.mode in ("1", "L", "LA"):
        if raster.mode == "LA":
            samples, alpha = samples[..., 0], samples[..., 1]
        grey = samples * np.uint8(255) if raster.mode == "1" else samples
        color = np.repeat(grey[..., None], 3, axis=2)
    else:
        color = samples[..., :3]
        alpha = samples[..., 3] if raster.mode == "RGBA" else None
    return Photo(
        color=np.ascontiguousarray(color),
        alpha=None if alpha is None else np.ascontiguousarray(alpha),
        mode=raster.mode,
        format=kind,
        orientation=raster.orientation,
        native=native,
        palette=raster.palette,
        info=raster.info,
        source=data,
    )
