"""Features of millions of pictures as their sums, for Fréchet distances without the features.

Ten million pictures have 80 GB of Inception's features; their mean and scatter take 33 MB, however
many they are, and those of several processes merge. What can't be done to sums is to take a picture
out again: so one counts when all models have filled it, and all at once.
"""

from __future__ import annotations

import json
import math
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from regionwise.evaluation.feature_files import FeatureSource, Key
from regionwise.evaluation.metrics.frechet import Moments, frechet_distance
from regionwise.output import whole_file

_TRUTH = ""
_ENDING = ".sums.npz"


class FeatureSums:
    """The sums of one process, written every so many pictures.

    A process that is killed loses the pictures since: they are not in `pictures`, and are filled
    anew.
    """

    def __init__(self, folder: Path, shard: str, source: FeatureSource, every: int = 1000) -> None:
        """Go on where an earlier process stopped.

        Args:
            folder: of all processes' sums.
            shard: names the file.
            source: gives the features.
            every: pictures after which the file is written.
        """
        folder.mkdir(parents=True, exist_ok=True)
        self._file = folder / f"{shard}{_ENDING}"
        self._source, self._every = source, every
        self._sums, mine = _read(self._file) if self._file.exists() else ({}, set())
        self._mine: set[tuple[str, str]] = mine
        others = [file for file in folder.glob(f"*{_ENDING}") if file != self._file]
        self.pictures = self._mine.union(*(_pictures(file) for file in others))
        self._unsaved = 0

    def has(self, photo: str, holes: str) -> bool:
        """Whether a picture is in this process's sums, or was in another's."""
        return (photo, holes) in self.pictures

    def add(
        self,
        photo: str,
        holes: str,
        truth: NDArray[np.uint8],
        answers: Mapping[str, NDArray[np.uint8]],
    ) -> None:
        """Take in a picture and all models' fills of it, 3×H×W."""
        for model, picture in ({_TRUTH: truth} | dict(answers)).items():
            features = self._source.extract(picture[None])
            self._sums.setdefault((holes, model), Moments()).update(features)
        self.pictures.add((photo, holes))
        self._mine.add((photo, holes))
        self._unsaved += 1
        if self._unsaved >= self._every:
            self.save()

    def save(self) -> None:
        """Write the file, whole or not at all."""
        if not self._unsaved:
            return
        arrays: dict[str, NDArray[Any]] = {}
        index = {"pictures": sorted(self._mine), "sums": list(self._sums)}
        arrays["index"] = np.frombuffer(json.dumps(index).encode(), np.uint8)
        for number, moments in enumerate(self._sums.values()):
            arrays[f"count_{number}"] = np.array(moments.count)
            arrays[f"mean_{number}"] = moments.mean
            arrays[f"scatter_{number}"] = moments.scatter
        with whole_file(self._file) as file:
            np.savez(file, allow_pickle=False, **arrays)
        self._unsaved = 0


def distance_of_sums(folder: Path, keys: Iterable[Key]) -> float:
    """Fréchet distance between filled pictures and the photos, from all processes' sums.

    A photo that stands in several rows of the table counts once, as long as all rows have the same
    photos; else once a row.

    Args:
        folder: of the sums.
        keys: photo, row and model of each picture, of one model.

    Returns:
        NaN if the sums are not those of just these pictures.
    """
    wanted: dict[str, set[str]] = defaultdict(set)
    models: set[str] = set()
    for photo, holes, model in keys:
        wanted[holes].add(photo)
        models.add(model)
    if len(models) != 1:
        return math.nan
    model = models.pop()
    found: dict[str, set[str]] = defaultdict(set)
    filled = Moments()
    true: dict[str, Moments] = defaultdict(Moments)
    for file in sorted(folder.glob(f"*{_ENDING}")):
        sums, pictures = _read(file)
        for photo, holes in pictures:
            found[holes].add(photo)
        for holes in wanted:
            filled.merge(sums.get((holes, model), Moments()))
            true[holes].merge(sums.get((holes, _TRUTH), Moments()))
    if any(found[holes] != photos for holes, photos in wanted.items()):
        return math.nan
    truths = list(true.values())
    if len({frozenset(photos) for photos in wanted.values()}) > 1:
        for other in truths[1:]:
            truths[0].merge(other)
    return frechet_distance(truths[0], filled)


def _pictures(file: Path) -> set[tuple[str, str]]:
    with np.load(file) as arrays:
        return {(photo, holes) for photo, holes in _index(arrays)["pictures"]}


def _read(file: Path) -> tuple[dict[tuple[str, str], Moments], set[tuple[str, str]]]:
    with np.load(file) as arrays:
        index = _index(arrays)
        sums = {}
        for number, (holes, model) in enumerate(index["sums"]):
            sums[holes, model] = Moments(
                int(arrays[f"count_{number}"]),
                arrays[f"mean_{number}"],
                arrays[f"scatter_{number}"],
            )
    return sums, {(photo, holes) for photo, holes in index["pictures"]}


def _index(arrays: Mapping[str, NDArray[Any]]) -> dict[str, Any]:
    index: dict[str, Any] = json.loads(arrays["index"].tobytes())
    return index
