"""Millions of photos as columns: some 50 bytes a photo, and none of it objects of Python.

A list of `PhotoSource` takes half a kilobyte a photo, and each process that is forked for reading
copies it bit by bit, since Python counts references in it. Columns are shared.
"""

from __future__ import annotations

import os
from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import overload

import numpy as np
from numpy.typing import NDArray

from regionwise.photos.photo_source import PhotoSource
from regionwise.photos.stored_files import Place, within


class PhotoIndex(Sequence[PhotoSource]):
    """Photos by number; each is made a `PhotoSource` when it is asked for."""

    def __init__(
        self,
        places: Sequence[Place],
        names: NDArray[np.uint8],
        ends: NDArray[np.int64],
        numbers: NDArray[np.int32],
        offsets: NDArray[np.int64],
        lengths: NDArray[np.int64],
    ) -> None:
        """Take columns as they are.

        Args:
            places: folders, and tars.
            names: of all photos, one behind the other.
            ends: where each one ends.
            numbers: of each photo's place.
            offsets: of its first byte in its tar; 0 for a file.
            lengths: of its bytes there; -1 for a file.
        """
        self._places, self._names, self._ends = list(places), names, ends
        self._numbers, self._offsets, self._lengths = numbers, offsets, lengths

    @classmethod
    def of(cls, entries: Iterable[tuple[Place, str, int, int]]) -> PhotoIndex:
        """Of a place, a name in it, an offset and a length each, as `__init__` has them."""
        places: dict[Place, int] = {}
        names = bytearray()
        ends, offsets, lengths, numbers = array("q"), array("q"), array("q"), array("i")
        for place, name, offset, length in entries:
            names += name.encode("utf-8", "surrogateescape")
            ends.append(len(names))
            numbers.append(places.setdefault(place, len(places)))
            offsets.append(offset)
            lengths.append(length)
        return cls(
            list(places),
            np.frombuffer(bytes(names), np.uint8),
            np.frombuffer(ends, np.int64),
            np.frombuffer(numbers, np.int32),
            np.frombuffer(offsets, np.int64),
            np.frombuffer(lengths, np.int64),
        )

    def __len__(self) -> int:
        return len(self._ends)

    @overload
    def __getitem__(self, number: int) -> PhotoSource: ...
    @overload
    def __getitem__(self, number: slice) -> PhotoIndex: ...
    def __getitem__(self, number: int | slice) -> PhotoSource | PhotoIndex:
        """A photo, or some of them."""
        if isinstance(number, slice):
            return self.take(np.arange(len(self))[number])
        number = range(len(self))[number]
        place = self._places[self._numbers[number]]
        name = self.name(number)
        length = int(self._lengths[number])
        file = within(place, name) if length < 0 else place
        return PhotoSource(file, name, int(self._offsets[number]), length)

    def __iter__(self) -> Iterator[PhotoSource]:
        return (self[number] for number in range(len(self)))

    def name(self, number: int) -> str:
        """A photo's name alone, which costs less than the photo."""
        start = self._ends[number - 1] if number else 0
        return os.fsdecode(self._names[start : self._ends[number]].tobytes())

    def take(self, numbers: NDArray[np.int64]) -> PhotoIndex:
        """Photos of some numbers, in that order."""
        starts = np.concatenate([[0], self._ends[:-1]])[numbers] if len(self) else self._ends
        ends = self._ends[numbers]
        names = b"".join(self._names[a:b].tobytes() for a, b in zip(starts, ends, strict=True))
        return PhotoIndex(
            self._places,
            np.frombuffer(names, np.uint8),
            np.cumsum(ends - starts),
            self._numbers[numbers],
            self._offsets[numbers],
            self._lengths[numbers],
        )

    def where(self, wanted: Callable[[str], bool]) -> PhotoIndex:
        """Photos whose names are wanted."""
        chosen = [number for number in range(len(self)) if wanted(self.name(number))]
        return self.take(np.array(chosen, np.int64))
