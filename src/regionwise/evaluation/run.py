"""Fill photos with models and measure: the work of `regionwise evaluate`.

Pictures go to a model one by one, so that the numbers do not depend on how the work is split.
Before measuring, an answer becomes what a user would see: rounded to 8 bits, known pixels kept.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from regionwise.arrays import Mask
from regionwise.engines.engine import Engine
from regionwise.errors import DataError, ModelError, PhotoError, RegionwiseError
from regionwise.evaluation.feature_files import FeatureFile, FeatureSource
from regionwise.evaluation.feature_sums import FeatureSums
from regionwise.evaluation.metrics.metric import FilledPicture, Metric
from regionwise.evaluation.metrics.registry import METRICS, measure
from regionwise.evaluation.plan import HoleSet, Plan
from regionwise.evaluation.rows import Row, append_row, read_rows
from regionwise.holes import Size
from regionwise.photos.photo_source import PhotoSource
from regionwise.photos.reading import pillow_image

Pixels = NDArray[np.uint8]


@dataclass(frozen=True)
class Shard:
    """Part `number` (from 1) of `count` of the work: every `count`-th photo."""

    number: int = 1
    count: int = 1

    def __str__(self) -> str:
        return f"{self.number}-of-{self.count}"


@dataclass(frozen=True)
class Evaluation:
    """An evaluation: models by name, photos and a plan, with the folder for its results.

    `sums`: keep the features' sums in place of the features. `samples`: of so many photos the
    filled pictures are kept, for the contact sheet.
    """

    models: Mapping[str, Engine]
    photos: Sequence[PhotoSource]
    plan: Plan
    folder: Path
    metrics: Sequence[Metric] = METRICS
    features: FeatureSource | None = None
    sums: bool = False
    samples: int = 4

    @property
    def total(self) -> int:
        """Pictures to fill, all models together."""
        return len(self.models) * len(self.photos) * len(self.plan.sets)

    def done(self) -> set[tuple[str, str, str]]:
        """Photo, row and model of all pictures that have results."""
        return {row.key for row in read_rows(self.folder / "rows")}

    def run(
        self,
        shard: Shard,
        progress: Callable[[int], None] = lambda count: None,
        done: Collection[tuple[str, str, str]] | None = None,
    ) -> None:
        """Do what is not done yet of a shard's work; `progress` is told how many pictures were.

        What goes wrong with a photo, a mask or an answer is kept as that picture's error.
        """
        done = self.done() if done is None else done
        file = self.folder / "rows" / f"{shard}.jsonl"
        store = self._store(shard)
        for number in range(shard.number - 1, len(self.photos), shard.count):
            photo = self.photos[number]
            for holes in self.plan.sets:
                missing = [m for m in self.models if (photo.name, holes.name, m) not in done]
                if (
                    isinstance(store, FeatureSums)
                    and (photo.name, holes.name) not in store.pictures
                ):
                    missing = list(self.models)
                progress(len(self.models) - len(missing))
                if missing:
                    self._fill_one(number, photo, holes, missing, file, store, progress)
        if isinstance(store, FeatureSums):
            store.save()

    def _store(self, shard: Shard) -> FeatureFile | FeatureSums | None:
        if self.features is None:
            return None
        kind = FeatureSums if self.sums else FeatureFile
        return kind(self.folder / "features", str(shard), self.features)

    def _fill_one(
        self,
        number: int,
        photo: PhotoSource,
        holes: HoleSet,
        models: Sequence[str],
        file: Path,
        store: FeatureFile | FeatureSums | None,
        progress: Callable[[int], None],
    ) -> None:
        try:
            truth = read_truth(photo, holes.size)
            mask_name, mask = holes.hole(number, photo)
        except RegionwiseError as error:
            for model in models:
                append_row(file, Row(photo.name, holes.name, "", model, error=str(error)))
            progress(len(models))
            return
        if isinstance(store, FeatureFile):
            store.add_truth(photo.name, truth)
        answers = {}
        for model in models:
            error_text, values, seconds = "", {}, 0.0
            try:
                answer, seconds = fill_and_compose(self.models[model], truth, mask)
                values = self._measure(truth, answer, mask)
                answers[model] = answer
                if isinstance(store, FeatureFile):
                    store.add_answer((photo.name, holes.name, model), answer)
                if number < self.samples:
                    self._keep_sample(number, holes.name, model, truth, mask, answer)
            except RegionwiseError as error:
                error_text = str(error)
            append_row(
                file, Row(photo.name, holes.name, mask_name, model, values, seconds, error_text)
            )
            progress(1)
        if isinstance(store, FeatureSums) and len(answers) == len(self.models):
            store.add(photo.name, holes.name, truth, answers)

    def _measure(self, truth: Pixels, answer: Pixels, mask: Mask) -> dict[str, float]:
        first, second = (
            np.asarray(pixels, np.float32) / np.float32(255) for pixels in (truth, answer)
        )
        return measure(FilledPicture(first, second, mask), self.metrics)

    def _keep_sample(
        self, number: int, row: str, model: str, truth: Pixels, mask: Mask, answer: Pixels
    ) -> None:
        place = self.folder / "samples" / f"{number:03d}" / row
        place.mkdir(parents=True, exist_ok=True)
        pictures = {"truth": truth, "input": np.where(mask, 255, truth).astype(np.uint8)}
        for name, pixels in (pictures | {f"model {file_name(model)}": answer}).items():
            Image.fromarray(pixels.transpose(1, 2, 0)).save(place / f"{name}.png")


def file_name(model: str) -> str:
    """A model's name, or its path, as a part of a file's name."""
    return model.replace("/", "_").replace("\\", "_").replace(":", "_")


def read_truth(photo: PhotoSource, size: Size) -> Pixels:
    """The photo's middle, of the wanted shape and size, upright: 3×H×W of 8 bits.

    Raises:
        PhotoError: if there is no such photo or it can't be read.
    """
    try:
        picture = ImageOps.exif_transpose(pillow_image(photo.read())).convert("RGB")
        fitted = ImageOps.fit(picture, (size[1], size[0]), Image.Resampling.BICUBIC)
    except FileNotFoundError:
        raise PhotoError(
            f"{photo.name}: there is no such photo; check the list or folder"
        ) from None
    except UnidentifiedImageError:
        raise PhotoError(
            f"{photo.name}: not a readable photo (no known format); leave it out or get it anew"
        ) from None
    except (OSError, ValueError, Image.DecompressionBombError) as error:
        raise PhotoError(f"{photo.name}: not a readable photo ({error})") from error
    return np.ascontiguousarray(np.asarray(fitted).transpose(2, 0, 1))


def fill_and_compose(model: Engine, truth: Pixels, mask: Mask) -> tuple[Pixels, float]:
    """The filled picture, 3×H×W of 8 bits with known pixels kept, and the model's seconds.

    Raises:
        ModelError: the answer has another shape, or is not a number somewhere in the hole.
    """
    known = np.where(mask, np.float32(0), truth.astype(np.float32) / np.float32(255))
    start = time.perf_counter()
    answers = model.fill(known[None], mask[None, None].astype(np.float32))
    seconds = time.perf_counter() - start
    if answers.shape != (1, *truth.shape):
        raise ModelError(f"the model answered {answers.shape}, not {(1, *truth.shape)}")
    unusable = np.count_nonzero(~np.isfinite(answers[0][:, mask]))
    if unusable:
        raise ModelError(f"the model answered NaN or infinity at {unusable} values of the hole")
    clean = np.clip(np.nan_to_num(answers[0]), 0, 1)
    filled = np.where(mask, np.rint(clean * 255).astype(np.uint8), truth)
    return filled, seconds


def check_models(models: Sequence[str]) -> None:
    """Refuse a model named twice.

    Raises:
        DataError: with the name.
    """
    twice = {model for model in models if models.count(model) > 1}
    if twice:
        raise DataError(f"--models: {sorted(twice)[0]} is named twice")
