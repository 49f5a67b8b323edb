"""Fill a photo: its hole, the windows round it, an engine, and the composite."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Iterator
from dataclasses import fields
from functools import lru_cache
from inspect import Parameter, signature
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from regionwise.arrays import Floats, Mask
from regionwise.classical.progress import ReportProgress
from regionwise.engines.engine import Detail, Device, Engine
from regionwise.engines.staged import at_stage
from regionwise.engines.wrapping import wrapped
from regionwise.engines.zoo import load_model
from regionwise.errors import ModelError, PhotoError, RegionwiseWarning
from regionwise.filling.canvas import Canvas, read_window
from regionwise.filling.hole import find_hole
from regionwise.filling.options import FillOptions, option_of
from regionwise.filling.raw import raw_photo
from regionwise.filling.windows import VIEW, Window, plan_windows
from regionwise.photos.frames import read_frames
from regionwise.photos.likeness import photo_like
from regionwise.photos.photo import Photo
from regionwise.photos.reading import Source, bytes_of, read_photo

if TYPE_CHECKING:
    from regionwise.filling.detail import Series

Filling = TypeVar("Filling", bound=Callable[..., Any])

_PAINTED = 0.3
"""Share of the work that a network has of a fill with detail."""


def _shows_options(function: Filling) -> Filling:
    """Let `help` and editors show each option, with its default, in place of `**options`."""
    plain = signature(function)
    named = [p for p in plain.parameters.values() if p.kind is not Parameter.VAR_KEYWORD]
    more = [
        Parameter(one.name, Parameter.KEYWORD_ONLY, default=one.default, annotation=one.type)
        for one in fields(FillOptions)
        if one.name != "model"
    ]
    vars(function)["__signature__"] = plain.replace(parameters=[*named, *more])
    lines = [f"        {one.name}: {option_of(one).help}" for one in fields(FillOptions)]
    told = "\n".join(line for line in lines if not line.startswith("        model:"))
    document = function.__doc__ or ""
    function.__doc__ = document.replace("        options: see `FillOptions`.", told)
    return function


@_shows_options
def fill(
    photo: Source,
    mask: Source | None = None,
    model: str | os.PathLike[str] | Engine = "default",
    **options: Any,
) -> Any:
    """Fill the hole of a photo. Known pixels stay as they are, bit for bit.

    Args:
        photo: a path, a Pillow image, an array (H×W, H×W×3 or ×4; uint8, uint16 or float in
            [0, 1]), or the bytes of a file.
        mask: likewise; white is missing. With neither mask nor box, transparent pixels are.
        model: a name of `list_models()`, a file of weights, or what `load_model` gave.
        options: see `FillOptions`.

    Returns:
        The same kind as `photo`; a Pillow image for a path.

    Raises:
        RegionwiseError: with one line that says what is wrong and how to mend it.

    Warns:
        RegionwiseWarning: for an empty mask (the photo comes back as it is) and for a huge hole.
    """
    chosen = FillOptions(**options)
    if isinstance(photo, (bytes, bytearray, memoryview)):
        return _fill_bytes(bytes(photo), mask, model, chosen)
    source = _read(photo, chosen.page)
    found = find_hole(source, mask, chosen)
    for warning in found.warnings:
        warnings.warn(warning, RegionwiseWarning, stacklevel=2)
    engine = _engine(model, chosen.device, chosen.seed)
    return photo_like(fill_photo(source, found.mask, engine, chosen), photo)


def _fill_bytes(
    photo: bytes, mask: Source | None, model: str | os.PathLike[str] | Engine, options: FillOptions
) -> bytes:
    """A file's bytes, all pictures of an animation too."""
    from regionwise.filling.photo_bytes import filled_bytes  # which stands on this module

    engine = _engine(model, options.device, options.seed)
    data, outcome = filled_bytes(photo, mask, options, engine)
    for warning in outcome.warnings:
        warnings.warn(warning, RegionwiseWarning, stacklevel=3)
    return data


def _read(photo: Source, page: int | None) -> Photo:
    """A photo, or one picture of a file of several."""
    if page is None or not isinstance(photo, (str, os.PathLike)):
        return read_photo(photo)
    name = os.fspath(photo)
    frames = read_frames(bytes_of(photo, name), name)
    if page > len(frames):
        raise PhotoError(f"{name} has {len(frames)} pictures; give a `page` from 1 on up to that")
    return frames[page - 1]


def fill_photo(
    photo: Photo,
    hole: Mask,
    engine: Engine,
    options: FillOptions,
    *,
    view: int = VIEW,
    progress: ReportProgress | None = None,
    series: Series | None = None,
) -> Photo:
    """Fill a photo in windows, or by its polyphase components; then give it detail.

    Args:
        photo: upright.
        hole: H×W bool.
        engine: a model as `load_model` gives it; what the options ask for is put round it here.
        options: how; the hole has been found already.
        view: the largest side of a window.
        progress: see `ReportProgress`.
        series: the frames before, to keep this one steady.

    Raises:
        ModelError: if the engine's answer is no picture.
    """
    if options.raw:
        return raw_photo(photo, hole, engine, options)
    engine = at_stage(engine, options.stage, options.device, options.seed)
    polyphase = options.large == "polyphase"
    view = max(hole.shape) if polyphase else view
    groups = plan_windows(hole, view)
    # No pixel lies deeper in a hole than this, however wide a feather is asked for.
    feather = None if options.feather is None else min(options.feather, sum(hole.shape))
    canvases = [Canvas(photo.color, hole, group, feather) for group in groups]
    detail = _wanted_detail(engine, options)
    engine = wrapped(
        engine,
        texture=detail == "never",
        ensemble=options.ensemble,
        blend=options.blend,
        polyphase=polyphase,
    )
    painted = 1.0 if detail == "never" else _PAINTED
    _paint(canvases, photo, hole, engine, view, _part(progress, 0, painted))
    if detail != "never":
        progress = _part(progress, painted, 1)
        _add_detail(canvases, photo, hole, detail, options, feather, series, progress)
    return photo.with_fills([(c.group.top, c.group.left, c.color, c.group.hole) for c in canvases])


def _add_detail(
    canvases: list[Canvas],
    photo: Photo,
    hole: Mask,
    detail: Detail,
    options: FillOptions,
    feather: float | None,
    series: Series | None,
    progress: ReportProgress | None,
) -> None:
    """Give each canvas, which holds a network's fill, the photo's own detail."""
    # Takes longer to import than a photo without a hole takes to read.
    from regionwise.filling.detail import DetailOptions, with_detail

    how = DetailOptions(detail, options.seed, feather)
    for number, canvas in enumerate(canvases):
        canvas.color = with_detail(
            photo.color,
            hole,
            canvas.group,
            canvas.color,
            how,
            series=series,
            progress=_part(progress, number / len(canvases), (number + 1) / len(canvases)),
        )


def _part(progress: ReportProgress | None, start: float, end: float) -> ReportProgress | None:
    """Progress of a part of the work."""
    if progress is None:
        return None
    report = progress  # for the type checker
    return lambda share: report(start + (end - start) * share)


def fill_draws(engine: Engine, options: FillOptions) -> bool:
    """Whether another seed gives another fill."""
    return engine.traits.draws or _wanted_detail(engine, options) != "never"


def _wanted_detail(engine: Engine, options: FillOptions) -> Detail:
    """Whether holes are to get the detail of the known region."""
    if options.large == "auto":
        return engine.traits.detail
    return "always" if options.large == "detail" else "never"


def _paint(
    canvases: list[Canvas],
    photo: Photo,
    hole: Mask,
    engine: Engine,
    view: int,
    progress: ReportProgress | None,
) -> None:
    """Fill the canvases' windows, batch by batch."""
    jobs = [(window, canvas) for canvas in canvases for window in canvas.group.windows]
    done = 0
    for batch in _batches(jobs, view * view):
        read = [read_window(photo.color, hole, window) for window, _ in batch]
        images = np.stack([image for image, _ in read])
        answers = _checked(engine.fill(images, np.stack([mask for _, mask in read])), images)
        for (window, canvas), answer in zip(batch, answers, strict=True):
            canvas.paint(window, answer)
        done += len(batch)
        if progress:
            progress(done / len(jobs))


def _batches(
    jobs: list[tuple[Window, Canvas]], pixels: int
) -> Iterator[list[tuple[Window, Canvas]]]:
    """Windows of one size together, as many as hold so many pixels."""

    def size(job: tuple[Window, Canvas]) -> tuple[int, int]:
        return job[0].rows, job[0].columns

    for (rows, columns), same in groupby(sorted(jobs, key=size), key=size):
        alike = list(same)
        step = max(1, pixels // (rows * columns))
        for start in range(0, len(alike), step):
            yield alike[start : start + step]


def _checked(answers: Floats, images: Floats) -> Floats:
    if answers.shape != images.shape:
        raise ModelError(
            f"the model answered {answers.shape} to pictures of {images.shape}; it is none of ours"
        )
    if not np.isfinite(answers).all():
        raise ModelError("the model answered with values that are no numbers; try `model` membrane")
    return answers


def _engine(model: str | os.PathLike[str] | Engine, device: Device, seed: int) -> Engine:
    if not isinstance(model, (str, os.PathLike)):
        if not hasattr(model, "fill"):
            raise ModelError(
                f"an object of type {type(model).__name__} is no model; "
                "give a name, a file of weights, or an engine, such as load_model gives"
            )
        return model
    name = os.fspath(model)
    if Path(name).exists():  # which may change between two calls
        return load_model(name, device, seed=seed)
    return _named_engine(name, device, seed)


@lru_cache(maxsize=1)
def _named_engine(name: str, device: Device, seed: int) -> Engine:
    return load_model(name, device, seed=seed)
