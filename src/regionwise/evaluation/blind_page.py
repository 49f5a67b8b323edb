"""A page on which people choose, blindly, the better one of two fills.

The page is a folder that needs nothing else: `index.html` and pictures under names that tell
nothing. Who made which picture stands in a key beside the folder, which voters aren't given.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib import resources
from itertools import combinations
from pathlib import Path
from typing import TypeVar

import numpy as np
from PIL import Image
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from regionwise.errors import DataError, OutputError
from regionwise.evaluation.contact_sheet import Sample
from regionwise.evaluation.preferences import Vote
from regionwise.output import write_whole

_LONGEST = 800
"""Pixels of a picture's side at most: two stand side by side."""
_HOLE = np.array([255, 0, 255], np.uint8)


class Pair(BaseModel):
    """Two fills of a case: the id that the page knows, and whose fills they are."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str
    case: str
    left: str
    right: str


class AnswerKey(BaseModel):
    """What the page keeps secret. `page`: which page it is the key of."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    page: str
    seed: int
    pairs: tuple[Pair, ...]


class _Choice(BaseModel):
    pair: str
    choice: str = Field(pattern="^(left|right|neither)$")


class _Votes(BaseModel):
    page: str
    votes: tuple[_Choice, ...]


_Content = TypeVar("_Content", AnswerKey, _Votes)


@dataclass(frozen=True)
class BlindPage:
    """What was made: the key, and how many pairs were left out as both fills are the same."""

    key: AnswerKey
    same: int


def key_file(folder: Path) -> Path:
    """Where the key of a page lies."""
    return folder.with_name(f"{folder.name}.key.json")


def write_blind_page(
    samples: Sequence[Sample], folder: Path, pairs: int = 0, seed: int = 0
) -> BlindPage:
    """Write a page and its key.

    Args:
        samples: the cases with the models' fills, at least two of each.
        folder: of the page; must not exist.
        pairs: how many, spread evenly over models and cases; 0 = all.
        seed: of the order, the sides and the names of the pictures.

    Raises:
        DataError: there is no pair to choose from.
        OutputError: the folder exists, or can't be written.
    """
    drawn, same = _drawn(samples, pairs, seed)
    if not drawn:
        raise DataError("there are no two different fills of one picture to choose from")
    if folder.exists() or key_file(folder).exists():
        raise OutputError(f"{folder} or its key exists: choose another folder")
    named = [(sample, _pair(sample.name, one, other, seed)) for sample, one, other in drawn]
    key = AnswerKey(
        page=hashlib.sha256("".join(pair.id for _, pair in named).encode()).hexdigest()[:12],
        seed=seed,
        pairs=tuple(pair for _, pair in named),
    )
    try:
        (folder / "pictures").mkdir(parents=True)
        for sample, pair in named:
            _write_pictures(sample, pair, folder / "pictures")
    except OSError as error:
        raise OutputError(f"{folder}: can't be written ({error})") from error
    shown = json.dumps({"page": key.page, "pairs": [pair.id for pair in key.pairs]})
    template = resources.files("regionwise.evaluation") / "blind.html"
    text = template.read_text(encoding="utf-8").replace("__PAGE__", shown)
    write_whole(text, folder / "index.html")
    write_whole(key.model_dump_json(indent=1) + "\n", key_file(folder))
    return BlindPage(key, same)


def read_votes(key: Path, files: Sequence[Path]) -> list[Vote]:
    """The votes of people, by the key of their page.

    Raises:
        DataError: a file is none of a page's, or belongs to another page.
    """
    secret = _read(AnswerKey, key)
    pairs = {pair.id: pair for pair in secret.pairs}
    found = []
    for file in files:
        answers = _read(_Votes, file)
        if answers.page != secret.page or not {one.pair for one in answers.votes} <= pairs.keys():
            raise DataError(f"{file}: these votes belong to another page than {key}")
        for one in answers.votes:
            pair = pairs[one.pair]
            sides = (pair.left, pair.right)
            preferred, other = sides if one.choice != "right" else sides[::-1]
            found.append(Vote(pair.case, preferred, other, tie=one.choice == "neither"))
    return found


def _read(kind: type[_Content], file: Path) -> _Content:
    try:
        return kind.model_validate_json(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{file}: can't be read ({error})") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "the whole"
        raise DataError(f"{file}: not of a page for votes: {where}: {first['msg']}") from error


def _drawn(
    samples: Sequence[Sample], pairs: int, seed: int
) -> tuple[list[tuple[Sample, str, str]], int]:
    """Which fills are compared, sides and order by chance; and how many pairs are the same."""
    rng = np.random.default_rng(seed)
    usable: list[tuple[Sample, str, str]] = []
    same = 0
    for sample, one, other in _in_turn(samples, rng):
        if pairs and len(usable) == pairs:
            break
        if np.array_equal(np.asarray(sample.answers[one]), np.asarray(sample.answers[other])):
            same += 1
        else:
            usable.append((sample, one, other) if rng.random() < 0.5 else (sample, other, one))
    return [usable[number] for number in rng.permutation(len(usable))], same


def _in_turn(
    samples: Sequence[Sample], rng: np.random.Generator
) -> Iterator[tuple[Sample, str, str]]:
    """All pairs, so that any first few have all models and all cases about equally often."""
    order = rng.permutation(len(samples))
    models = list(samples[0].answers) if samples else []
    both = list(combinations(models, 2))
    for turn in range(len(samples)):
        for number, (one, other) in enumerate(both):
            shift = number * len(samples) // len(both)
            yield samples[order[(turn + shift) % len(samples)]], one, other


def _pair(case: str, left: str, right: str, seed: int) -> Pair:
    token = hashlib.sha256(f"{seed}\n{case}\n{left}\n{right}".encode()).hexdigest()[:16]
    return Pair(id=token, case=case, left=left, right=right)


def _write_pictures(sample: Sample, pair: Pair, folder: Path) -> None:
    hole = np.asarray(sample.hole.convert("1"))
    marked = np.where(hole[..., None], _HOLE, np.asarray(sample.truth.convert("RGB")))
    shown = {
        "a": sample.answers[pair.left],
        "b": sample.answers[pair.right],
        "h": Image.fromarray(marked),
    }
    for side, picture in shown.items():
        small = picture.convert("RGB")
        small.thumbnail((_LONGEST, _LONGEST), Image.Resampling.LANCZOS)
        small.save(folder / f"{pair.id}{side}.png")
