"""The pure function that every door and every cluster engine calls: bytes in, bytes out.

It reads no file and writes none, holds no state but the engines that it opened, and its arguments
and answers pickle: `joblib`, Dask, Spark and Ray can map it over anything.
"""

from __future__ import annotations

import time
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING

from regionwise.classical.progress import ReportProgress
from regionwise.engines.engine import Device, Engine
from regionwise.engines.zoo import load_model
from regionwise.errors import MaskError, OutputError, PhotoError, RegionwiseError
from regionwise.filling.fill_photo import fill_photo
from regionwise.filling.gain_maps import with_companions
from regionwise.filling.hole import find_hole
from regionwise.filling.options import FillOptions
from regionwise.filling.outcome import FillOutcome
from regionwise.photos.formats import BY_NAME
from regionwise.photos.frames import (
    check_frames_are_written,
    count_frames,
    encode_frames,
    read_frames,
)
from regionwise.photos.masks import FoundMask, hole_ratio
from regionwise.photos.photo import Photo
from regionwise.photos.reading import MAX_PIXELS, Source, read_photo
from regionwise.photos.writing import encode_photo, splicer_for

if TYPE_CHECKING:
    from regionwise.filling.detail import Series

NO_MEMORY = "there is not enough memory for it; scale it down"


def fill_bytes(
    photo: bytes,
    mask: bytes | None,
    options: FillOptions,
    *,
    engine: Engine | None = None,
    output_format: str | None = None,
    key: str = "",
    max_pixels: int = MAX_PIXELS,
) -> tuple[bytes, FillOutcome]:
    """Fill the photo of a file's bytes.

    Args:
        photo: of a file of any format in `regionwise.photos.formats`.
        mask: likewise; None for boxes in the options, or the photo's transparent pixels.
        options: how to find the hole and how to fill it; pickles.
        engine: by default what the options name, opened once a process.
        output_format: a name of `regionwise.photos.formats`; the photo's own by default.
        key: what the row is to be known by.
        max_pixels: of the photo and of the mask.

    Returns:
        The bytes of the filled file, of the photo itself where its mask is empty, and nothing
        where it failed; and the row that says what came of it. What is wrong with the photo or its
        mask is told there and does not raise.

    Raises:
        ModelError: if the model is not there; likewise `CheckpointError`.
    """
    started = time.perf_counter()
    engine = engine or engine_of(options)
    try:
        data, outcome = filled_bytes(
            photo, mask, options, engine, output_format=output_format, max_pixels=max_pixels
        )
    except RegionwiseError as error:
        data, outcome = b"", FillOutcome("failed", str(error))
    except MemoryError:
        data, outcome = b"", FillOutcome("failed", NO_MEMORY)
    return data, replace(outcome, key=key, seconds=time.perf_counter() - started)


def filled_bytes(
    photo: bytes,
    mask: Source | None,
    options: FillOptions,
    engine: Engine,
    *,
    output_format: str | None = None,
    name: str | None = None,
    mask_name: str | None = None,
    progress: ReportProgress | None = None,
    series: Series | None = None,
    max_pixels: int = MAX_PIXELS,
) -> tuple[bytes, FillOutcome]:
    """As `fill_bytes`, but what is wrong raises, and names the files.

    `series`: the photos before, to keep this one steady; an animation is a series of its own.

    Raises:
        RegionwiseError: with one line.
    """
    started = time.perf_counter()
    called = name or "the photo"
    count = count_frames(photo, called)
    if count > 1:
        return _filled_frames(
            photo,
            mask,
            options,
            engine,
            output_format=output_format,
            name=called,
            mask_name=mask_name,
            progress=progress,
            max_pixels=max_pixels,
        )
    _wanted_frames(count, options.page, called)
    opened = read_photo(photo, name=name, max_pixels=max_pixels)
    wanted = output_format or opened.format
    found = find_hole(opened, mask, options, name=mask_name, max_pixels=max_pixels)
    _check_something_is_known(found)
    ahead = None if options.raw else splicer_for(opened, wanted, found.mask)
    filled = fill_found(opened, found, engine, options, progress=progress, series=series)
    notes: list[str] = []
    data = encode_photo(filled, wanted, ahead, notes)
    outcome = outcome_of(found, format=wanted or "", seconds=time.perf_counter() - started)
    if outcome.status == "filled":
        data, line = with_companions(data, opened, found.mask, wanted, options)
        notes += [line] if line else []
        outcome = replace(outcome, warnings=(*outcome.warnings, *notes))
    return data, outcome


def _filled_frames(
    data: bytes,
    mask: Source | None,
    options: FillOptions,
    engine: Engine,
    *,
    output_format: str | None,
    name: str,
    mask_name: str | None,
    progress: ReportProgress | None,
    max_pixels: int,
) -> tuple[bytes, FillOutcome]:
    """Fill all pictures of an animation or of several pages with one mask, or one of them.

    Each copies from where the one before copied, so that nothing flickers.
    """
    from regionwise.filling.detail import Series  # see `filling.fill_photo`

    started = time.perf_counter()
    frames = read_frames(data, name, max_pixels=max_pixels)
    kind = frames[0].format or ""
    wanted = _wanted_frames(len(frames), options.page, name)
    alone = options.page is not None and output_format not in (None, kind)
    if not alone:
        check_frames_are_written(kind, name)
    if output_format not in (None, kind) and not alone:
        raise OutputError(
            f"{name} has {len(frames)} pictures and another format would hold one; "
            f"write it as {BY_NAME[kind].suffixes[0]}, or give `page`"
        )
    found: FoundMask | None = None
    filled_any = False
    series = Series()
    for done, number in enumerate(wanted):
        frame = frames[number]
        size = (frame.height, frame.width)
        if found is None or found.mask.shape != size:
            try:
                found = find_hole(frame, mask, options, name=mask_name, max_pixels=max_pixels)
            except MaskError as error:
                raise MaskError(f"picture {number + 1} of {len(frames)}: {error}") from error
        _check_something_is_known(found)
        frames[number] = fill_found(frame, found, engine, options, series=series)
        filled_any |= bool(found.mask.any())
        if progress:
            progress((done + 1) / len(wanted))
    assert found is not None
    if alone:
        result = encode_photo(frames[wanted[0]], output_format)
    else:
        result = encode_frames(frames, data, kind) if filled_any else data
    seconds = time.perf_counter() - started
    outcome = outcome_of(found, format=output_format or kind, seconds=seconds)
    return result, replace(outcome, frames=len(wanted))


def _check_something_is_known(found: FoundMask) -> None:
    if found.mask.all():
        raise MaskError("the mask covers all of the photo; leave something to go by")


def _wanted_frames(count: int, page: int | None, name: str) -> list[int]:
    if page is None:
        return list(range(count))
    if page > count:
        there = f"{count} pictures; give a `page` from 1 to {count}"
        raise PhotoError(f"{name} has {'one picture; leave `page` out' if count == 1 else there}")
    return [page - 1]


def fill_found(
    photo: Photo,
    found: FoundMask,
    engine: Engine,
    options: FillOptions,
    *,
    progress: ReportProgress | None = None,
    series: Series | None = None,
) -> Photo:
    """Fill a photo that is decoded already; one with an empty mask comes back as it is."""
    if not found.mask.any():
        return photo
    return fill_photo(photo, found.mask, engine, options, progress=progress, series=series)


def outcome_of(found: FoundMask, *, format: str, seconds: float) -> FillOutcome:  # noqa: A002
    """The row of a photo with such a hole."""
    return FillOutcome(
        "filled" if found.mask.any() else "unchanged",
        hole_ratio=hole_ratio(found.mask),
        seconds=seconds,
        warnings=found.warnings,
        mask_reading=found.way,
        format=BY_NAME[format].name if format in BY_NAME else format,
    )


def engine_of(options: FillOptions, threads: int | None = None) -> Engine:
    """The engine that the options name, opened once a process.

    Raises:
        ModelError: if the model is not there; likewise `CheckpointError`.
    """
    return _engine(str(options.model), options.device, options.seed, threads)


@lru_cache(maxsize=2)
def _engine(model: str, device: Device, seed: int, threads: int | None) -> Engine:
    return load_model(model, device, seed=seed, threads=threads)
