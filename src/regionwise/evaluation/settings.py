"""What `regionwise evaluate` was asked for, and the evaluation made of it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from itertools import pairwise
from pathlib import Path
from typing import Any

from regionwise.data.photo_sources import find_photos, is_held_out
from regionwise.engines.engine import Engine
from regionwise.engines.staged import at_stage
from regionwise.engines.wrapping import wrapped
from regionwise.engines.zoo import load_model
from regionwise.errors import DataError, OutputError
from regionwise.evaluation.manifest import object_protocol_names, read_manifest
from regionwise.evaluation.metrics.metric import Metric, Score
from regionwise.evaluation.metrics.registry import metrics_named
from regionwise.evaluation.object_removal import plan_of_objects, read_object_protocol
from regionwise.evaluation.plan import (
    TENTHS,
    OwnSize,
    Plan,
    Through,
    plan_of_manifest,
    plan_of_masks,
    plan_of_pairs,
)
from regionwise.evaluation.run import Evaluation, check_models
from regionwise.filling.options import FillOptions
from regionwise.holes import Size, StoredMasks
from regionwise.output import write_whole


@dataclass(frozen=True)
class EvaluationSettings:
    """The question, small enough to be sent to other processes.

    `protocol`: name or file of a manifest; else `masks`, a folder or tar, put into bins (`edges`)
    or, with `pairs`, taken by the photos' names; `also` are rows of protocols, PROTOCOL:SET, beside
    them. `one_mask`: a photo gets one mask in all. `original`: photos keep their sizes; `squash`:
    they are scaled as a whole. `options`: how holes are filled, of which only what concerns the
    model counts. `through`: whether holes are filled as users do it; as the protocol says if None.
    `metrics`: names, see `metrics_named`. `features`, `lpips`, `perceptual`, `inception`: which
    networks for the feature distance, LPIPS, the perceptual error and the Fréchet distance; left
    out if empty.
    """

    models: tuple[str, ...]
    photos: tuple[Path, ...]
    folder: Path
    protocol: str = ""
    masks: Path | None = None
    pairs: bool = False
    size: Size = (256, 256)
    edges: tuple[float, ...] = TENTHS
    one_mask: bool = False
    invert_masks: bool = False
    also: tuple[str, ...] = ()
    original: bool = False
    squash: bool = False
    options: FillOptions = field(default_factory=FillOptions)
    through: Through | None = None
    held_out: bool = False
    limit: int = 0
    device: str = "auto"
    samples: int = 4
    metrics: str = ""
    features: tuple[str, ...] = ()
    lpips: tuple[str, ...] = ()
    perceptual: str = ""
    inception: str = ""

    def plan(self) -> Plan:
        """Which holes; see the class.

        Raises:
            DataError: both or none of protocol and masks are given, or what goes with one of them
                is given with the other.
        """
        if bool(self.protocol) == (self.masks is not None):
            raise DataError("give either --protocol or --masks")
        self._check_edges()
        plan = self._plan_of_protocol() if self.masks is None else self._plan_of_masks(self.masks)
        for row in self.also:
            plan = plan.with_row(row, original=self.original)
        return plan

    def _plan_of_protocol(self) -> Plan:
        if self.pairs or self.one_mask or self.invert_masks or self.edges != TENTHS:
            raise DataError("--pairs, --one-mask, --invert-masks and --bins go with --masks")
        if self.protocol in object_protocol_names():
            return plan_of_objects(read_object_protocol(self.protocol))
        return plan_of_manifest(read_manifest(self.protocol), original=self.original)

    def _plan_of_masks(self, masks: Path) -> Plan:
        if not masks.exists():
            raise DataError(f"{masks}: there is no such folder or tar of masks")
        stored = StoredMasks([masks], augment=False, invert=self.invert_masks)
        size = OwnSize() if self.original else self.size
        if self.pairs:
            return plan_of_pairs(stored, size, masks.name)
        return plan_of_masks(stored, size, masks.name, edges=self.edges, one_each=self.one_mask)

    def _check_edges(self) -> None:
        rising = all(low < high for low, high in pairwise(self.edges))
        if len(self.edges) < 2 or not rising or self.edges[0] < 0 or self.edges[-1] > 1:
            raise DataError("--bins: give rising hole ratios from 0 to 1, such as 0.01,0.1,0.2")

    def _engine(self, name: str, through: Through) -> Engine:
        """A model with what the options put round it, where the fill doesn't do that."""
        device: Any = self.device
        options = self.options
        engine = at_stage(load_model(name, device), options.stage, device, raw=options.raw)
        if through == "fill":
            return engine
        if options.large not in ("auto", "polyphase"):
            raise DataError(f"--large {options.large} is no model's own; give --through fill")
        return wrapped(
            engine,
            ensemble=options.ensemble,
            blend=options.blend,
            polyphase=options.large == "polyphase",
            texture=not options.raw,
        )

    def evaluation(self, plan: Plan | None = None) -> Evaluation:
        """Load the models and find the photos.

        Args:
            plan: if it has been made already.

        Raises:
            RegionwiseError: if a model, the photos or the masks can't be had.
        """
        check_models(self.models)
        photos = find_photos(self.photos)
        if self.held_out:
            photos = [photo for photo in photos if is_held_out(photo)]
        if self.limit:
            photos = photos[:: max(len(photos) // self.limit, 1)][: self.limit]
        if not photos:
            raise DataError("none of the photos is held out from training")
        twice = _first_repeated([photo.name for photo in photos])
        if twice:
            raise DataError(f"two photos have the name {twice}: results could not be told apart")
        plan = plan or self.plan()
        through = self.through or plan.through
        return Evaluation(
            models={name: self._engine(name, through) for name in self.models},
            photos=photos,
            plan=plan,
            folder=self.folder,
            metrics=self._metrics(),
            features=self._features(),
            samples=self.samples,
            through=through,
            options=self.options,
            squash=self.squash,
        )

    def _metrics(self) -> tuple[Metric, ...]:
        """Those that are always taken, and those that were asked for."""
        metrics = list(metrics_named(self.metrics))
        if self.features:
            from regionwise.evaluation.metrics.feature_distance import FeatureDistance

            metrics += [FeatureDistance(one, self.device) for one in self.features]
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


def scores_of(evaluation: Evaluation) -> list[Score]:
    """What is measured of single pictures, in the order of the tables."""
    return [score for metric in evaluation.metrics for score in metric.scores]


def claim_folder(evaluation: Evaluation) -> None:
    """Write down what the folder is an evaluation of, or check that it is of the same.

    Raises:
        OutputError: it holds another evaluation, or can't be written.
    """
    inputs: dict[str, Any] = {
        "models": {name: weights_checksum(engine) for name, engine in evaluation.models.items()},
        "plan": evaluation.plan.sha256,
        "photos": _checksum(json.dumps([photo.name for photo in evaluation.photos]).encode()),
        "metrics": [score.name for score in scores_of(evaluation)],
        "features": evaluation.features.name if evaluation.features else "",
        "through": evaluation.through,
    }
    if evaluation.squash:
        inputs["squash"] = True
    if changed_options := _changed(evaluation):
        inputs["options"] = changed_options
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


def _changed(evaluation: Evaluation) -> dict[str, Any]:
    """The options of filling that are not their defaults."""
    options = evaluation.options
    values = {one.name: getattr(options, one.name) for one in fields(options)}
    return {name: value for name, value in values.items() if value != getattr(FillOptions(), name)}


def weights_checksum(engine: Engine) -> str:
    """sha256 of an engine's weights; empty for a method without weights."""
    file = engine.traits.file
    return "" if file is None else _checksum(file.read_bytes())


def _checksum(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _first_repeated(names: Sequence[str]) -> str:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            return name
        seen.add(name)
    return ""
