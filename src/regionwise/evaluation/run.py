"""Fill photos with models and measure: the work of `regionwise evaluate`.

Pictures go to a model one by one, so that the numbers do not depend on how the work is split.
Before measuring, an answer becomes what a user would see: rounded to 8 bits, known pixels kept.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from regionwise.arrays import Bytes, Mask
from regionwise.engines.engine import Engine
from regionwise.errors import DataError, ModelError, PhotoError, RegionwiseError
from regionwise.evaluation.feature_files import FeatureFile, FeatureSource
from regionwise.evaluation.feature_sums import FeatureSums
from regionwise.evaluation.metrics.metric import FilledPicture, Metric
from regionwise.evaluation.metrics.naturalness import MARGIN, SIDE
from regionwise.evaluation.metrics.registry import METRICS, measure
from regionwise.evaluation.metrics.views import HoleView, view_of_hole
from regionwise.evaluation.plan import HoleSet, OwnSize, Plan, Through
from regionwise.evaluation.rows import Row, append_row, read_rows
from regionwise.filling.fill_photo import fill_photo
from regionwise.filling.options import FillOptions
from regionwise.filling.shard import Shard
from regionwise.holes import Size
from regionwise.photos.photo_source import PhotoSource
from regionwise.photos.reading import pillow_image, read_photo

_SEEN = 64
"""Pixels round a hole, at least, that a kept sample of a large photo shows."""


@dataclass(frozen=True)
class Evaluation:
    """An evaluation: models by name, photos and a plan, with the folder for its results.

    `sums`: keep the features' sums in place of the features. `samples`: of so many photos the
    filled pictures are kept, for sheets and votes. `through`: how holes are filled. `options`: of a
    fill, and whether answers are measured `raw`. `squash`: whether a photo is scaled as a whole,
    its aspect not kept, not cropped.
    """

    models: Mapping[str, Engine]
    photos: Sequence[PhotoSource]
    plan: Plan
    folder: Path
    metrics: Sequence[Metric] = METRICS
    features: FeatureSource | None = None
    sums: bool = False
    samples: int = 4
    through: Through = "network"
    options: FillOptions = field(default_factory=FillOptions)
    squash: bool = False

    @property
    def total(self) -> int:
        """Pictures to fill, all models together."""
        pictures = sum(len(self.plan.sets_of(number)) for number in range(len(self.photos)))
        return len(self.models) * pictures

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
        for number in shard.positions(len(self.photos)):
            photo = self.photos[number]
            for holes in self.plan.sets_of(number):
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
            truth = read_truth(photo, holes.size, squash=self.squash)
            mask_name, mask = holes.hole(number, photo, (truth.shape[1], truth.shape[2]))
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
                answer, seconds = self._answer(self.models[model], truth, mask)
                values = self._measure(holes, truth, answer, mask)
                answers[model] = answer
                if isinstance(store, FeatureFile):
                    store.add_answer((photo.name, holes.name, model), answer)
                if number < self.samples:
                    self._keep_sample(number, holes, model, truth, mask, answer)
            except RegionwiseError as error:
                error_text = str(error)
            append_row(
                file, Row(photo.name, holes.name, mask_name, model, values, seconds, error_text)
            )
            progress(1)
        if isinstance(store, FeatureSums) and len(answers) == len(self.models):
            store.add(photo.name, holes.name, truth, answers)

    def _answer(self, model: Engine, truth: Bytes, mask: Mask) -> tuple[Bytes, float]:
        if self.through == "fill":
            return fill_as_users_do(model, truth, mask, self.options)
        return fill_and_compose(model, truth, mask, raw=self.options.raw)

    def _measure(self, holes: HoleSet, truth: Bytes, answer: Bytes, mask: Mask) -> dict[str, float]:
        """The metrics of the whole picture, or of what is seen round the hole."""
        if not _around_holes(holes):
            return measure(_filled(truth, answer, mask), self.metrics)
        wider = _filled(*_cut(view_of_hole(mask, MARGIN + SIDE), truth, answer, mask))
        seen = _filled(*_cut(view_of_hole(mask), truth, answer, mask), wider)
        return measure(seen, self.metrics)

    def _keep_sample(
        self, number: int, holes: HoleSet, model: str, truth: Bytes, mask: Mask, answer: Bytes
    ) -> None:
        """Keep the pictures, or what is seen of them round the hole."""
        place = self.folder / "samples" / f"{number:03d}" / holes.name
        place.mkdir(parents=True, exist_ok=True)
        if _around_holes(holes):
            truth, answer, mask = _cut(view_of_hole(mask, _SEEN), truth, answer, mask)
        pictures = {"truth": truth, "input": np.where(mask, 255, truth).astype(np.uint8)}
        for name, pixels in (pictures | {f"model {model_file_name(model)}": answer}).items():
            Image.fromarray(pixels.transpose(1, 2, 0)).save(place / f"{name}.png")
        Image.fromarray(mask).save(place / "hole.png")


def _around_holes(holes: HoleSet) -> bool:
    return isinstance(holes.size, OwnSize) and holes.size.around_holes


def _cut(view: HoleView, truth: Bytes, answer: Bytes, mask: Mask) -> tuple[Bytes, Bytes, Mask]:
    return truth[:, *view], answer[:, *view], mask[view]


def _filled(
    truth: Bytes, answer: Bytes, mask: Mask, wider: FilledPicture | None = None
) -> FilledPicture:
    first, second = (np.asarray(pixels, np.float32) / np.float32(255) for pixels in (truth, answer))
    return FilledPicture(first, second, mask, wider)


def model_file_name(model: str) -> str:
    """A model's name, or its path, as a part of a file's name."""
    return model.replace("/", "_").replace("\\", "_").replace(":", "_")


def read_truth(photo: PhotoSource, size: Size | OwnSize, *, squash: bool = False) -> Bytes:
    """The photo's middle, of the wanted shape and size, or all of it, upright: 3×H×W of 8 bits.

    Args:
        photo: where it lies.
        size: height and width; the photo's own if none.
        squash: scale the whole photo to it, its aspect not kept.

    Raises:
        PhotoError: if there is no such photo, it can't be read, or it is too small.
    """
    try:
        picture = ImageOps.exif_transpose(pillow_image(photo.read())).convert("RGB")
        if isinstance(size, OwnSize):
            picture = _at_own_size(picture, size, photo.name)
        elif squash:
            picture = picture.resize((size[1], size[0]), Image.Resampling.BICUBIC)
        else:
            picture = ImageOps.fit(picture, (size[1], size[0]), Image.Resampling.BICUBIC)
    except FileNotFoundError:
        raise PhotoError(
            f"{photo.name}: there is no such photo; check the list or folder"
        ) from None
    except UnidentifiedImageError:
        raise PhotoError(
            f"{photo.name}: not a readable photo (no known format); leave it out or get it again"
        ) from None
    except (OSError, ValueError, Image.DecompressionBombError) as error:
        raise PhotoError(f"{photo.name}: not a readable photo ({error})") from error
    return np.ascontiguousarray(np.asarray(picture).transpose(2, 0, 1))


def _at_own_size(picture: Image.Image, size: OwnSize, name: str) -> Image.Image:
    if min(picture.size) < size.shorter or max(picture.size) < size.longer:
        raise PhotoError(
            f"{name}: {picture.width}×{picture.height} pixels are too few; take photos of at least "
            f"{size.longer}×{size.shorter}"
        )
    if size.longest is not None and max(picture.size) > size.longest:
        scale = size.longest / max(picture.size)
        smaller = (round(scale * picture.width), round(scale * picture.height))
        return picture.resize(smaller, Image.Resampling.LANCZOS)
    return picture


def fill_and_compose(
    model: Engine, truth: Bytes, mask: Mask, *, raw: bool = False
) -> tuple[Bytes, float]:
    """The filled picture, 3×H×W of 8 bits with known pixels kept, and the model's seconds.

    With `raw` known pixels are the model's too.

    Raises:
        ModelError: the answer has another shape, or is not a number somewhere in the hole.
    """
    known = np.where(mask, np.float32(0), truth.astype(np.float32) / np.float32(255))
    start = time.perf_counter()
    answers = model.fill(known[None], mask[None, None].astype(np.float32))
    seconds = time.perf_counter() - start
    if answers.shape != (1, *truth.shape):
        raise ModelError(f"the model answered {answers.shape}, not {(1, *truth.shape)}")
    taken = np.ones_like(mask) if raw else mask
    unusable = np.count_nonzero(~np.isfinite(answers[0][:, taken]))
    if unusable:
        where = "picture" if raw else "hole"
        raise ModelError(f"the model answered NaN or infinity at {unusable} values of the {where}")
    clean = np.clip(np.nan_to_num(answers[0]), 0, 1)
    filled = np.where(taken, np.rint(clean * 255).astype(np.uint8), truth)
    return filled, seconds


def fill_as_users_do(
    model: Engine, truth: Bytes, mask: Mask, options: FillOptions
) -> tuple[Bytes, float]:
    """A picture of any size filled as `regionwise fill` does it, and the seconds that it took."""
    photo = read_photo(np.ascontiguousarray(truth.transpose(1, 2, 0)))
    start = time.perf_counter()
    filled = fill_photo(photo, mask, model, options).color
    seconds = time.perf_counter() - start
    return np.ascontiguousarray(filled.transpose(2, 0, 1)), seconds


def check_models(models: Sequence[str]) -> None:
    """Refuse a model named twice.

    Raises:
        DataError: with the name.
    """
    twice = {model for model in models if models.count(model) > 1}
    if twice:
        raise DataError(f"--models: {sorted(twice)[0]} is named twice")
