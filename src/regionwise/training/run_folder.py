"""What a run's folder tells of itself: `regionwise train --resume RUN` needs nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from regionwise.data.photo_sources import has_held_out_name
from regionwise.errors import DataError, OutputError
from regionwise.output import write_whole
from regionwise.photos.photo_index import PhotoIndex
from regionwise.photos.stored_files import full_place
from regionwise.recipe import Recipe, check_recipe

_NAME = "run.yaml"


@dataclass(frozen=True)
class Run:
    """A training as it was asked for.

    Attributes:
        recipe: with all its values.
        photos: where they lie.
        held_out: whether every twentieth is kept from training, to validate on.
        settings: of `regionwise.training.settings.TrainingSettings`, as plain data.
        validate_on: other photos to validate on; none for those held out.
    """

    recipe: Recipe
    photos: tuple[Path, ...]
    held_out: bool
    settings: dict[str, Any]
    validate_on: tuple[Path, ...] = ()


def write_run(run: Run, folder: Path) -> None:
    """Write `run.yaml`.

    Raises:
        OutputError: if it can't be written.
    """
    content = {
        "photos": [full_place(photo) for photo in run.photos],
        "held_out": run.held_out,
        "validate_on": [full_place(photo) for photo in run.validate_on],
        "settings": run.settings,
        "recipe": run.recipe.model_dump(mode="json"),
    }
    text = yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=100)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{folder}: the run can't be kept there ({error})") from error
    write_whole(text.encode(), folder / _NAME, overwrite=True)


def read_run(folder: Path) -> Run:
    """Read `run.yaml`.

    Raises:
        DataError: if the folder holds no run.
        RecipeError: if its recipe was changed into something wrong.
    """
    file = folder / _NAME
    try:
        content = yaml.safe_load(file.read_text(encoding="utf-8"))
        photos = tuple(Path(photo) for photo in content["photos"])
        held_out, settings = bool(content["held_out"]), dict(content["settings"])
        recipe = content["recipe"]
        validate_on = tuple(Path(photo) for photo in content["validate_on"])
    except FileNotFoundError as error:
        raise DataError(f"{folder}: there is no run here (no {_NAME})") from error
    except (OSError, UnicodeDecodeError, yaml.YAMLError, KeyError, TypeError, ValueError) as error:
        detail = " ".join(str(error).split())
        raise DataError(f"{file}: not what regionwise wrote ({detail})") from error
    return Run(check_recipe(recipe, str(file)), photos, held_out, settings, validate_on)


def split(photos: PhotoIndex, *, held_out: bool) -> tuple[PhotoIndex, PhotoIndex]:
    """Photos to train on, and those held out: the twentieth, or none."""
    if not held_out:
        return photos, photos[:0]
    return photos.where(lambda name: not has_held_out_name(name)), photos.where(has_held_out_name)
