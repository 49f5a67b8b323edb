"""Photos and drawn holes, as training batches.

A training set is an endless stream. Everything about its sample number k (which photo, crop,
flip, hole) is drawn from the seed and k alone, so the stream is the same with any number of
workers, and a resumed training just starts at the number where it stopped.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Sampler

from regionwise.errors import DataError, RegionwiseWarning
from regionwise.holes import Ratio, draw_hole
from regionwise.photo_sources import StoredPhoto, find_photos

__all__ = ["HolePhotos", "StoredPhoto", "find_photos", "stream_batches"]


class HolePhotos(Dataset[tuple[Tensor, Tensor]]):
    """Square crops of photos, each with a drawn hole.

    Sample k is a pair of image, 3×S×S float in [0, 1], and mask, 1×S×S of 0 and 1 (1 = missing).
    The crop's side is drawn between S and the photo's short side and scaled to S; half of the
    crops are mirrored.

    Args:
        photos: from `find_photos`.
        size: S.
        mixture, ratio: see `regionwise.holes.draw_hole`.
        seed: see the module.
    """

    def __init__(
        self,
        photos: Sequence[StoredPhoto],
        size: int,
        mixture: Mapping[str, float],
        ratio: Ratio | None,
        seed: int,
    ) -> None:
        self.photos = photos
        self.size = size
        self.mixture = mixture
        self.ratio = ratio
        self.seed = seed

    def __getitem__(self, position: int) -> tuple[Tensor, Tensor]:
        """Sample number `position` of the endless stream."""
        rng = np.random.default_rng([self.seed, position])
        picture = self._crop(self._photo(position), rng)
        mask = draw_hole((self.size, self.size), rng, self.mixture, self.ratio)
        image = torch.from_numpy(np.array(picture)).permute(2, 0, 1).float() / 255
        return image, torch.from_numpy(mask).float().unsqueeze(0)

    def _photo(self, position: int) -> Image.Image:
        """The photo whose turn it is; each epoch has its own order. A broken one is passed over."""
        epoch, place = divmod(position, len(self.photos))
        order = np.random.default_rng([self.seed, epoch, 0]).permutation(len(self.photos))
        for turn in range(len(self.photos)):
            stored = self.photos[order[(place + turn) % len(order)]]
            try:
                return Image.open(io.BytesIO(stored.read())).convert("RGB")
            except (OSError, Image.DecompressionBombError) as error:
                warnings.warn(f"{stored.name}: {error}; skipped", RegionwiseWarning, stacklevel=2)
        raise DataError("not one photo could be read")

    def _crop(self, photo: Image.Image, rng: np.random.Generator) -> Image.Image:
        short = min(photo.size)
        side = int(rng.integers(min(self.size, short), short + 1))
        left = int(rng.integers(0, photo.width - side + 1))
        top = int(rng.integers(0, photo.height - side + 1))
        box = (left, top, left + side, top + side)
        picture = photo.resize((self.size, self.size), Image.Resampling.BICUBIC, box=box)
        flip = rng.random() < 0.5
        return picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT) if flip else picture


class _Positions(Sampler[int]):
    """first, first + 1, … last - 1."""

    def __init__(self, first: int, last: int) -> None:
        self.positions = range(first, last)

    def __iter__(self) -> Iterator[int]:
        return iter(self.positions)

    def __len__(self) -> int:
        return len(self.positions)


def stream_batches(
    photos: HolePhotos, batch: int, first_step: int, last_step: int, workers: int
) -> DataLoader[tuple[Tensor, Tensor]]:
    """Batches of the steps first_step … last_step - 1: images N×3×S×S and masks N×1×S×S."""
    return DataLoader(
        photos,
        batch_size=batch,
        sampler=_Positions(first_step * batch, last_step * batch),
        num_workers=workers,
        persistent_workers=False,
        prefetch_factor=4 if workers else None,
        pin_memory=torch.cuda.is_available(),
    )
