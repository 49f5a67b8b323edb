"""The files that photos come in, one a module: pixels and metadata in and out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

from regionwise.arrays import Mask
from regionwise.photos.containers.placed_fill import PlacedFill
from regionwise.photos.metadata import Metadata
from regionwise.photos.raster import Raster


class Container(Protocol):
    """What each module here offers."""

    def decode(self, data: bytes, max_pixels: int) -> Raster:
        """Read a file, in its own orientation.

        Raises:
            TooManyPixelsError: before anything is decoded.
            UnsupportedPixelsError: if the file is sound but of a kind that can't be kept.
            Exception: of any kind, for a broken file.
        """

    def encode(self, raster: Raster, metadata: Metadata) -> bytes:
        """Write a new file, with what it has room for."""

    def encode_again(self, raster: Raster, original: bytes, fills: Sequence[PlacedFill]) -> bytes:
        """Write the original anew, with new pixels and all else that it held.

        JPEG alone needs `fills`, to keep the rest of the picture from losing anything.
        """


class FramesContainer(Protocol):
    """What a module offers whose files may hold several pictures."""

    def count_frames(self, data: bytes) -> int:
        """How many pictures a file holds."""

    def decode_frames(self, data: bytes, max_pixels: int) -> Iterator[Raster]:
        """Read all of them; `max_pixels` is for all together."""

    def encode_frames(
        self, rasters: Sequence[Raster], original: bytes, holes: Sequence[Mask]
    ) -> bytes:
        """Write the original anew with other pictures, new under the holes, and their timing."""
