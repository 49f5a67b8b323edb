"""`regionwise.fill`: the toolkit in one line of Python."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable
from dataclasses import fields
from functools import lru_cache
from inspect import Parameter, signature
from pathlib import Path
from typing import Any, TypeVar

from regionwise.engines.engine import Device, Engine
from regionwise.engines.zoo import load_model
from regionwise.errors import ModelError, PhotoError, RegionwiseWarning
from regionwise.filling.fill_photo import fill_photo
from regionwise.filling.hole import find_hole
from regionwise.filling.options import FillOptions, option_of
from regionwise.filling.photo_bytes import filled_bytes
from regionwise.photos.frames import read_frames
from regionwise.photos.likeness import photo_like
from regionwise.photos.photo import Photo
from regionwise.photos.reading import Source, bytes_of, read_photo

Filling = TypeVar("Filling", bound=Callable[..., Any])


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
