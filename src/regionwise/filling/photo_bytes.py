"""The pure function that every door and every cluster engine calls: bytes in, bytes out.

It reads no file and writes none, holds no state but the engines that it opened, and its arguments
and answers pickle: `joblib`, Dask, Spark and Ray can map it over anything.
"""

from __future__ import annotations

import time
from dataclasses import replace
from functools import lru_cache

from regionwise.engines.engine import Device, Engine
from regionwise.engines.zoo import load_model
from regionwise.errors import RegionwiseError
from regionwise.filling.fill import ReportProgress, fill_photo
from regionwise.filling.hole import find_hole
from regionwise.filling.options import FillOptions
from regionwise.filling.outcome import FillOutcome
from regionwise.photos.formats import BY_NAME
from regionwise.photos.masks import FoundMask, hole_ratio
from regionwise.photos.photo import Photo
from regionwise.photos.reading import MAX_PIXELS, Source, read_photo
from regionwise.photos.writing import encode_photo, planes_ahead

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
    max_pixels: int = MAX_PIXELS,
) -> tuple[bytes, FillOutcome]:
    """As `fill_bytes`, but what is wrong raises, and names the files.

    Raises:
        RegionwiseError: with one line.
    """
    started = time.perf_counter()
    opened = read_photo(photo, name=name, max_pixels=max_pixels)
    wanted = output_format or opened.format
    ahead = planes_ahead(opened, wanted)
    found = find_hole(opened, mask, options, name=mask_name, max_pixels=max_pixels)
    filled = fill_found(opened, found, engine, options, progress=progress)
    data = encode_photo(filled, wanted, ahead)
    outcome = outcome_of(found, format=wanted or "", seconds=time.perf_counter() - started)
    return data, outcome


def fill_found(
    photo: Photo,
    found: FoundMask,
    engine: Engine,
    options: FillOptions,
    *,
    progress: ReportProgress | None = None,
) -> Photo:
    """Fill a photo that is decoded already; one with an empty mask comes back as it is."""
    if not found.mask.any():
        return photo
    return fill_photo(photo, found.mask, engine, options, progress=progress)


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
