"""Fill photo files: one, or all of a folder, where failures are reported and the run goes on."""

from __future__ import annotations

import os
import time
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from regionwise.engines.engine import Engine
from regionwise.errors import MaskError, OutputError, PhotoError, RegionwiseError, RegionwiseWarning
from regionwise.filling.fill import ReportProgress, fill_photo, find_hole
from regionwise.filling.options import FillOptions
from regionwise.output import check_output
from regionwise.photos.formats import format_of_path
from regionwise.photos.masks import hole_ratio
from regionwise.photos.reading import read_photo
from regionwise.photos.writing import planes_ahead, write_photo

SUFFIXES = (".png", ".tif", ".tiff", ".bmp", ".webp", ".jpg", ".jpeg")
"""What counts as a photo or a mask in a folder; for masks of one name the first one counts."""

_MASK_ENDING = "_mask"


@dataclass(frozen=True)
class Job:
    """A photo to fill, its mask, and where the result goes.

    `mask` is a file, a folder in which it lies under the photo's name, or None for a box or the
    photo's transparent pixels. `relative` is the photo's path within its folder.
    """

    photo: Path
    relative: Path
    mask: Path | MaskFolder | None
    output: Path


@dataclass(frozen=True)
class FillOutcome:
    """What came of a job: filled, skipped as its output existed, or failed with an error."""

    job: Job
    status: Literal["filled", "skipped", "failed"] = "filled"
    error: str = ""
    hole_ratio: float = 0.0
    seconds: float = 0.0
    warnings: tuple[str, ...] = ()


class MaskFolder:
    """Masks in a folder, by name: `a.jpg` has `a_mask.png` or `a.png`, in the same sub-folder."""

    def __init__(self, folder: Path, *, only_marked: bool = False) -> None:
        """Look through the folder.

        Args:
            folder: is searched with all its sub-folders.
            only_marked: take `a_mask.png` alone, as the photos themselves lie in this folder.
        """
        self.folder = folder
        self._only_marked = only_marked
        self._files: dict[Path, Path] = {}
        for file in sorted(_pictures(folder), key=lambda file: SUFFIXES.index(file.suffix.lower())):
            self._files.setdefault(file.relative_to(folder).with_suffix(""), file)

    def find(self, photo: Path) -> Path:
        """The mask of a photo, given by its path within the folder of photos.

        Raises:
            MaskError: if there is none.
        """
        marked = photo.with_name(photo.stem + _MASK_ENDING)
        names = [marked] if self._only_marked else [marked, photo.with_suffix("")]
        for name in names:
            if name in self._files:
                return self._files[name]
        wanted = " or ".join(f"{name}.png" for name in names)
        raise MaskError(f"there is no mask for it in {self.folder}; it may be named {wanted}")


def find_jobs(photos: Path, masks: Path | None, output: Path) -> list[Job]:
    """Pair the photos of a folder, sub-folders included, with their masks.

    Hidden files are left out, and what lies in the folders of masks and results where these lie
    inside.

    Args:
        photos: a folder.
        masks: a folder, a file that serves all photos, or None.
        output: a folder; need not exist.

    Raises:
        PhotoError: if no photo is there.
        MaskError: if `masks` does not exist.
        OutputError: if the results would replace the photos.
    """
    home = photos.resolve()
    if output.resolve() == home:
        raise OutputError(f"{output} holds the photos themselves; give another folder with -o")
    together = masks is not None and masks.resolve() == home
    mask = None if masks is None else find_masks(masks, only_marked=together)
    apart = {place.resolve() for place in (masks, output) if place} - {home}
    jobs = []
    for photo in sorted(_pictures(photos)):
        place = Path(os.path.realpath(photo))  # unlike resolve() it bears a link to itself
        if place in apart or apart.intersection(place.parents):
            continue
        if together and photo.stem.endswith(_MASK_ENDING):
            continue
        relative = photo.relative_to(photos)
        jobs.append(Job(photo, relative, mask, output / relative))
    if not jobs:
        raise PhotoError(f"{photos} holds no photo to fill; {', '.join(SUFFIXES)} are read")
    return jobs


def find_masks(masks: Path, *, only_marked: bool = False) -> Path | MaskFolder:
    """A file of a mask as it is, a folder as `MaskFolder`.

    Raises:
        MaskError: if there is no such file or folder.
    """
    if masks.is_dir():
        return MaskFolder(masks, only_marked=only_marked)
    if not masks.exists():
        raise MaskError(f"there is no mask or folder of masks {masks}; check the name")
    return masks


def _pictures(folder: Path) -> Iterator[Path]:
    """Files that may be photos, by their suffix; hidden ones and those in hidden folders not."""
    for parent, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in files:
            if not name.startswith(".") and name.lower().endswith(SUFFIXES):
                yield Path(parent, name)


def fill_file(
    job: Job,
    engine: Engine,
    options: FillOptions,
    *,
    overwrite: bool = False,
    progress: ReportProgress | None = None,
) -> FillOutcome:
    """Fill one photo and write the result, whole or not at all.

    Raises:
        RegionwiseError: with one line that names the file.
    """
    started = time.perf_counter()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", RegionwiseWarning)
        if not job.photo.exists():  # else a missing folder would be told as the output's
            raise PhotoError(f"{job.photo} does not exist; check the name")
        format_of_path(job.output)
        check_output(job.output, overwrite=overwrite)
        photo = read_photo(job.photo)
        ahead = planes_ahead(photo, job.output)
        mask = job.mask.find(job.relative) if isinstance(job.mask, MaskFolder) else job.mask
        hole = find_hole(photo, mask, options)
        filled = fill_photo(photo, hole, engine, options, progress=progress)
        write_photo(filled, job.output, overwrite=overwrite, ahead=ahead)
    return FillOutcome(
        job,
        hole_ratio=hole_ratio(hole),
        seconds=time.perf_counter() - started,
        warnings=tuple(str(one.message) for one in caught if one.category is RegionwiseWarning),
    )


def fill_folder(
    jobs: list[Job], engine: Engine, options: FillOptions, *, overwrite: bool = False
) -> Iterator[FillOutcome]:
    """Fill one photo after another; what fails is told in the outcome, and the run goes on.

    A photo whose output exists is skipped unless `overwrite` is on: a run that was stopped goes on
    where it stopped.

    Raises:
        ModelError: at once, if the model doesn't run here; likewise `CheckpointError`.
    """
    _try(engine)
    for job in jobs:
        if job.output.exists() and not overwrite:
            yield FillOutcome(job, status="skipped")
            continue
        try:
            yield _fill_into_folder(job, engine, options, overwrite=overwrite)
        except RegionwiseError as error:
            yield FillOutcome(job, "failed", str(error))
        except MemoryError:
            yield FillOutcome(job, "failed", "there is not enough memory for it; scale it down")


def _fill_into_folder(
    job: Job, engine: Engine, options: FillOptions, *, overwrite: bool
) -> FillOutcome:
    make_folder(job.output.parent)
    return fill_file(job, engine, options, overwrite=overwrite)


def make_folder(folder: Path) -> None:
    """Make a folder and those above it.

    Raises:
        OutputError: if that can't be.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(
            f"{folder} can't be made ({error.strerror or error}); write to another folder"
        ) from error


def _try(engine: Engine) -> None:
    """Fill a tiny picture, so that a model that doesn't run here ends the run before it starts."""
    images = np.zeros((1, 3, 32, 32), np.float32)
    masks = np.zeros((1, 1, 32, 32), np.float32)
    masks[..., 8:24, 8:24] = 1
    engine.fill(images, masks)
