"""Holes from files: masks of a folder or a tar, as they are or augmented for training."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal

import numpy as np
from PIL import Image, ImageFilter, ImageOps

from regionwise.arrays import Mask
from regionwise.errors import DataError, MaskError
from regionwise.holes.ratio import Ratio, Size, pixel_counts
from regionwise.photos.formats import is_picture_name
from regionwise.photos.masks import find_mask
from regionwise.photos.photo_source import PhotoSource, names_below, pictures_in_tar
from regionwise.photos.stored_files import (
    Place,
    address_exists,
    is_address,
    is_address_folder,
    place_of,
    within,
)


class StoredMasks:
    """Masks of folders (recursively), plain tar files and single files; white = missing.

    An instance is a family of holes: called with a size, it draws one mask and augments it as MADF
    (Section IV-C) does with the NVIDIA masks: flipped, turned, cropped, dilated. The papers give no
    amounts; here any angle, a crop of half to all of each side, and up to 5 % of the side.

    Args:
        sources: folders, tar files, pictures; addresses too.
        invert: black = missing, as in MADF's own folders.
        augment: False leaves out all but the change of size; "slightly" flips and turns by up to 10
            degrees, as MADF's released code does.

    Raises:
        DataError: a source is missing or there is no mask in them.
    """

    def __init__(
        self,
        sources: Sequence[Place],
        augment: bool | Literal["slightly"] = True,
        *,
        invert: bool = False,
    ) -> None:
        self.augment = augment
        self.invert = invert
        self._masks: list[PhotoSource] = []
        for source in sources:
            for file in _files(place_of(source)):
                if str(file).endswith(".tar"):
                    self._masks += _masks_in_tar(file)
                elif is_picture_name(str(file)):
                    self._masks.append(PhotoSource(file, str(file)))
        if not self._masks:
            where = ", ".join(map(str, sources))
            raise DataError(
                f"no masks in {where}; give a folder or tar of pictures, white = missing"
            )

    def __len__(self) -> int:
        return len(self._masks)

    def name(self, number: int) -> str:
        """File name of mask number `number`; in a tar, FILE:MEMBER."""
        return self._masks[number].name

    def read(self, number: int) -> Mask:
        """Mask number `number` as it is stored, read as a fill reads it (white, or labels).

        Raises:
            MaskError: if it can't be read.
        """
        return _white(self._picture(number))

    def __call__(self, size: Size, rng: np.random.Generator, ratio: Ratio | None = None) -> Mask:
        """One mask by chance, H×W bool.

        Raises:
            DataError: none of 200 draws has a share of missing pixels in the ratio; (0, 1] if none
            is given, so that an empty mask is never returned.
        """
        low, high = ratio or (0.0, 1.0)
        fewest, most = pixel_counts(size[0] * size[1], (low, high))
        for _ in range(200):
            picture = self._picture(int(rng.integers(len(self._masks))))
            if self.augment == "slightly":
                mask = _white(_fit(_slightly_turned(picture, rng), size))
            else:
                whole = not self.augment
                mask = _white(_fit(picture, size) if whole else _augmented(picture, size, rng))
            if fewest <= np.count_nonzero(mask) <= most:
                return mask
        raise DataError(
            f"none of 200 masks drawn from the {len(self)} stored ones has a hole ratio in "
            f"({low}, {high}]: add masks or widen the ratio"
        )

    def _picture(self, number: int) -> Image.Image:
        place = self._masks[number]
        try:
            mask = find_mask(place.read(), name=place.name).mask
        except MaskError as error:
            reason = str(error).removeprefix("the mask can't be used: ").removeprefix(place.name)
            raise MaskError(f"{place.name}: not a readable mask ({reason.strip(' ,')})") from error
        picture = Image.fromarray(mask).convert("L")
        return ImageOps.invert(picture) if self.invert else picture


def _files(source: Place) -> list[Place]:
    """A file, or all files of a folder."""
    there = address_exists(source) if is_address(source) else Path(source).exists()
    if not there:
        raise DataError(f"{source}: there is no such folder, tar or mask")
    is_folder = is_address_folder(source) if is_address(source) else Path(source).is_dir()
    return [within(source, name) for name in names_below(source)] if is_folder else [source]


def _masks_in_tar(file: Place) -> list[PhotoSource]:
    return [replace(mask, name=f"{file}:{mask.name}") for mask in pictures_in_tar(file)]


def _white(picture: Image.Image) -> Mask:
    return np.asarray(picture) >= 128


def _fit(picture: Image.Image, size: Size) -> Image.Image:
    return picture.resize((size[1], size[0]), Image.Resampling.NEAREST)


def _slightly_turned(picture: Image.Image, rng: np.random.Generator) -> Image.Image:
    """Mirrored by chance, then turned by up to 10 degrees; what comes in from outside is known."""
    if rng.integers(2):
        picture = picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    return picture.rotate(int(rng.integers(-10, 11)))


def _augmented(picture: Image.Image, size: Size, rng: np.random.Generator) -> Image.Image:
    """Flip, turn, crop, fit, dilate, in this order; what a turn brings in from outside is known."""
    for flip in (Image.Transpose.FLIP_LEFT_RIGHT, Image.Transpose.FLIP_TOP_BOTTOM):
        if rng.integers(2):
            picture = picture.transpose(flip)
    picture = picture.rotate(int(rng.integers(0, 360)))
    shares = rng.uniform(0.5, 1, 2)
    width, height = (
        max(round(s * share), 1) for s, share in zip(picture.size, shares, strict=True)
    )
    left = int(rng.integers(0, picture.width - width + 1))
    top = int(rng.integers(0, picture.height - height + 1))
    picture = _fit(picture.crop((left, top, left + width, top + height)), size)
    grow = int(rng.integers(0, max(round(0.05 * min(size)), 1) + 1))
    if grow and min(size) > 2 * grow:
        picture = picture.filter(ImageFilter.MaxFilter(2 * grow + 1))
    return picture
