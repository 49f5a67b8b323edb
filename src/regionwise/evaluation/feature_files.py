"""Features of pictures on disk, from which Fréchet distances are taken in the end.

They are kept picture by picture, so that a run can stop, go on, and be split: sums could not be
taken apart again. A picture takes 8 kB with Inception's 2048 features.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from regionwise.evaluation.metrics.frechet import Moments, frechet_distance

Key = tuple[str, str, str]


class FeatureSource(Protocol):
    """A network that gives features. `name` is the distance's name in tables."""

    @property
    def name(self) -> str:
        """FID if, and only if, the features are those of the standard Inception."""
        ...

    def extract(self, pictures: NDArray[np.uint8]) -> NDArray[np.float32]:
        """N×3×H×W of 8 bits to N×D."""
        ...


class FeatureFile:
    """Features that one process appends: numbers in one file, an index of lines beside it."""

    def __init__(self, folder: Path, shard: str, source: FeatureSource) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._numbers = folder / f"{shard}.f32"
        self._index = folder / f"{shard}.index"
        self._source = source
        self._truths = {photo for file in folder.glob("*.index") for photo in _photos_in(file)}

    def add_truth(self, photo: str, picture: NDArray[np.uint8]) -> None:
        """Keep the features of the photo itself, once."""
        if photo not in self._truths:
            self._truths.add(photo)
            self._add((photo, "", ""), picture)

    def add_answer(self, key: Key, picture: NDArray[np.uint8]) -> None:
        """Keep the features of a filled picture; key: photo, set, model."""
        self._add(key, picture)

    def _add(self, key: Key, picture: NDArray[np.uint8]) -> None:
        features = np.asarray(self._source.extract(picture[None])[0], "<f4")
        with self._numbers.open("ab") as numbers:
            start = numbers.tell()
            numbers.write(features.tobytes())
        with self._index.open("a", encoding="utf-8") as index:
            index.write(json.dumps([*key, start, features.size]) + "\n")


def distances(folder: Path, keys: Iterable[Key]) -> float:
    """Fréchet distance between filled pictures, by key, and the photos they were made from.

    NaN if features are missing, or there are fewer than two photos.
    """
    places = {key: place for file in sorted(folder.glob("*.index")) for key, place in _read(file)}
    filled, true = Moments(), Moments()
    chosen = sorted(keys)
    wanted = [(key, filled) for key in chosen]
    wanted += [((photo, "", ""), true) for photo in sorted({key[0] for key in chosen})]
    for key, moments in wanted:
        if key not in places:
            return float("nan")
        file, start, size = places[key]
        moments.update(np.fromfile(file, "<f4", size, offset=start)[None])
    return frechet_distance(true, filled)


def _read(index: Path) -> Iterable[tuple[Key, tuple[Path, int, int]]]:
    for line in index.read_text(encoding="utf-8").splitlines():
        try:
            photo, row, model, start, size = json.loads(line)
        except ValueError:  # a line that a crash tore
            continue
        yield (photo, row, model), (index.with_suffix(".f32"), start, size)


def _photos_in(index: Path) -> Iterable[str]:
    return [key[0] for key, _ in _read(index) if not key[1]]
