"""Fill a decoded photo: windows round its hole, an engine, the composite, and detail."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from itertools import groupby
from threading import Thread
from typing import TYPE_CHECKING

import numpy as np

from regionwise.arrays import Floats, Mask
from regionwise.classical.progress import ReportProgress
from regionwise.engines.engine import Detail, Engine
from regionwise.engines.staged import at_stage
from regionwise.engines.wrapping import wrapped
from regionwise.errors import ModelError
from regionwise.filling.canvas import Canvas, read_window
from regionwise.filling.options import FillOptions
from regionwise.filling.raw import raw_photo
from regionwise.filling.windows import VIEW, Window, plan_windows
from regionwise.photos.photo import Photo

if TYPE_CHECKING:
    from regionwise.filling.detail import Series

_PAINTED = 0.3
"""Share of the work that a network has of a fill with detail."""


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
    if detail != "never":  # it takes 130 ms to import, which the network's run covers
        Thread(target=import_module, args=("regionwise.filling.detail",), daemon=True).start()
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
    if series is not None:
        series.begin_frame()
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
    return engine.traits.draws or fill_copies(engine, options)


def fill_copies(engine: Engine, options: FillOptions) -> bool:
    """Whether holes are filled with copies of the photo, which a `Series` can keep steady."""
    return not options.raw and _wanted_detail(engine, options) != "never"


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
