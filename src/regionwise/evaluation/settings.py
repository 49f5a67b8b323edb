"""What `regionwise evaluate` was asked for, and the evaluation made of it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from regionwise.data.photo_sources import find_photos, has_held_out_name
from regionwise.engines.engine import Engine
from regionwise.engines.wrapping import wrapped
from regionwise.engines.zoo import load_model
from regionwise.errors import DataError, OutputError
from regionwise.evaluation.manifest import read_manifest
from regionwise.evaluation.metrics.metric import Metric, Score
from regionwise.evaluation.metrics.registry import METRICS
from regionwise.evaluation.plan import Plan, plan_of_manifest, plan_of_masks, plan_of_pairs
from regionwise.evaluation.run import Evaluation, check_models
from regionwise.holes import Size
from regionwise.output import write_whole
from regionwise.photos.stored_files import is_address


@dataclass(frozen=True)
class EvaluationSettings:
    """The question, small enough to be sent to other processes.

    `protocol`: name or file of a manifest; else `masks`, a folder or tar, put into bins or, with
    `pairs`, taken by the photos' names. `lpips`, `perceptual`, `inception`: which networks for
    LPIPS, the perceptual error and the Fréchet distance; left out if empty. `sums`: keep sums of
    the last one's features alone.
    """

    models: tuple[str, ...]
    photos: tuple[Path, ...]
    folder: Path
    protocol: str = ""
    masks: Path | None = None
    pairs: bool = False
    size: Size = (256, 256)
    held_out: bool = False
    limit: int = 0
    device: str = "auto"
    samples: int = 4
    lpips: tuple[str, ...] = ()
    perceptual: str = ""
    inception: str = ""
    sums: bool = False

    def plan(self) -> Plan:
        """Which holes; see the class.

        Raises:
            DataError: both or none of protocol and masks are given.
        """
        if bool(self.protocol) == (self.masks is not None):
            raise DataError("give either --protocol or --masks")
        if self.masks is None:
            return plan_of_manifest(read_manifest(self.protocol))
        if not is_address(self.masks) and not self.masks.exists():
            raise DataError(f"{self.masks}: there is no such folder or tar of masks")
        return (plan_of_pairs if self.pairs else plan_of_masks)(self.masks, self.size)

    def evaluation(self) -> Evaluation:
        """Load the models and find the photos.

        Raises:
            RegionwiseError: if a model, the photos or the masks can't be had.
        """
        check_models(self.models)
        photos = find_photos(self.photos)
        if self.held_out:
            photos = photos.where(has_held_out_name)
        if self.limit:
            photos = photos.take(spread_evenly(len(photos), self.limit))
        if not photos:
            raise DataError("none of the photos is held out from training")
        twice = _first_repeated(photos.name(number) for number in range(len(photos)))
        if twice:
            raise DataError(f"two photos have the name {twice}: results could not be told apart")
        device: Any = self.device
        return Evaluation(
            models={name: wrapped(load_model(name, device)) for name in self.models},
            photos=photos,
            plan=self.plan(),
            folder=self.folder,
            metrics=self._metrics(),
            features=self._features(),
            sums=self.sums,
            samples=self.samples,
        )

    def _metrics(self) -> tuple[Metric, ...]:
        """Those that are always taken, and those that were asked for."""
        metrics = list(METRICS)
        if self.lpips:
            from regionwise.evaluation.metrics.lpips import Lpips

            metrics += [Lpips(one, self.device) for one in self.lpips]
        if self.perceptual:
            from regionwise.evaluation.metrics.perceptual import PerceptualError

            metrics.append(PerceptualError(self.perceptual, self.device))
        return tuple(metrics)

    def _features(self) -> Any:
        if not self.inception:
            return None
        from regionwise.features.inception import load_extractor

        return load_extractor(self.inception, self.device)


def spread_evenly(count: int, limit: int) -> NDArray[np.int64]:
    """The numbers of at most `limit` of `count` photos, in whole steps where these reach the end.

    Steps that leave more than a tenth of the photos behind are fractions.
    """
    limit = min(count, limit)
    if limit and (step := count // limit) * limit >= 0.9 * count:
        return np.arange(limit) * step
    return np.arange(limit) * count // max(limit, 1)


def scores_of(evaluation: Evaluation) -> list[Score]:
    """What is measured of single pictures, in the order of the tables."""
    return [score for metric in evaluation.metrics for score in metric.scores]


def claim_folder(evaluation: Evaluation) -> None:
    """Write down what the folder is an evaluation of, or check that it is of the same.

    Raises:
        OutputError: it holds another evaluation, or can't be written.
    """
    inputs = {
        "models": {name: weights_checksum(engine) for name, engine in evaluation.models.items()},
        "plan": evaluation.plan.sha256,
        "photos": _checksum(json.dumps([photo.name for photo in evaluation.photos]).encode()),
        "metrics": [score.name for score in scores_of(evaluation)],
        "features": evaluation.features.name if evaluation.features else "",
        **({"sums": True} if evaluation.sums else {}),
    }
    text = json.dumps(inputs, indent=1) + "\n"
    file = evaluation.folder / "inputs.json"
    try:
        evaluation.folder.mkdir(parents=True, exist_ok=True)
        if file.exists():
            found = json.loads(file.read_text(encoding="utf-8"))
            if found != inputs:
                changed = next(key for key in inputs if found.get(key) != inputs[key])
                raise OutputError(
                    f"{evaluation.folder} holds another evaluation (other {changed}): "
                    "choose another folder"
                )
        else:
            write_whole(text, file)
    except ValueError:
        raise OutputError(f"{file} is broken: choose another folder") from None
    except OSError as error:
        raise OutputError(f"{evaluation.folder}: can't be written ({error})") from error


def weights_checksum(engine: Engine) -> str:
    """sha256 of an engine's weights; empty for a method without weights."""
    file = engine.traits.file
    return "" if file is None else _checksum(file.read_bytes())


def _checksum(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _first_repeated(names: Iterable[str]) -> str:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            return name
        seen.add(name)
    return ""
