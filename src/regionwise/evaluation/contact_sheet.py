"""Samples side by side: input, each model with its error, truth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from regionwise.evaluation.run import model_file_name

_ERROR_GAIN = 3
_TILE = 192
_GAP = 4
_HEAD = 20


@dataclass(frozen=True)
class Sample:
    """A filled picture that was kept; `hole` is white where it was missing, `answers` by model."""

    name: str
    input: Image.Image
    truth: Image.Image
    hole: Image.Image
    answers: dict[str, Image.Image]


def find_samples(folder: Path, models: Sequence[str]) -> list[Sample]:
    """The samples of an evaluation's folder that all models have, photo by photo."""
    samples = []
    for place in sorted((folder / "samples").glob("*/*")):
        files = {model: place / f"model {model_file_name(model)}.png" for model in models}
        if all(file.exists() for file in (*files.values(), place / "hole.png")):
            answers = {model: _open(file) for model, file in files.items()}
            before, truth, hole = (
                _open(place / f"{name}.png") for name in ("input", "truth", "hole")
            )
            name = f"photo {int(place.parent.name) + 1}, {place.name}"
            samples.append(Sample(name, before, truth, hole, answers))
    return samples


def contact_sheet(samples: Sequence[Sample]) -> Image.Image:
    """A row for each sample: input, each model and its error three times as strong, truth."""
    models = list(samples[0].answers)
    titles = ["input", *(t for model in models for t in (model, f"error x{_ERROR_GAIN}")), "truth"]
    size = (len(titles) * (_TILE + _GAP), _HEAD + len(samples) * (_TILE + _GAP))
    sheet = Image.new("RGB", size, "white")
    draw = ImageDraw.Draw(sheet)
    for column, title in enumerate(titles):
        draw.text((column * (_TILE + _GAP) + _TILE // 2, 3), title[-28:], "black", anchor="mt")
    for row, sample in enumerate(samples):
        pictures = [sample.input]
        for answer in sample.answers.values():
            pictures += [answer, _error(sample.truth, answer)]
        for column, picture in enumerate([*pictures, sample.truth]):
            tile = picture.resize((_TILE, _TILE), Image.Resampling.LANCZOS)
            sheet.paste(tile, (column * (_TILE + _GAP), _HEAD + row * (_TILE + _GAP)))
    return sheet


def _open(file: Path) -> Image.Image:
    picture = Image.open(file)
    picture.load()
    return picture


def _error(truth: Image.Image, answer: Image.Image) -> Image.Image:
    difference = np.abs(np.asarray(truth, np.int16) - np.asarray(answer, np.int16))
    return Image.fromarray(np.clip(difference * _ERROR_GAIN, 0, 255).astype(np.uint8))
