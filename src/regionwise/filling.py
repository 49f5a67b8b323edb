"""Fill a photo: its hole, the windows round it, an engine, and the composite."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from functools import lru_cache
from itertools import groupby
from pathlib import Path
from typing import Any, Literal, TypeAlias, get_args

import numpy as np

from regionwise import masks
from regionwise.compositing import Canvas, read_window
from regionwise.detail import needs_detail, with_detail
from regionwise.engines import Device, Engine, Floats
from regionwise.ensemble import EnsembleEngine
from regionwise.errors import MaskError, ModelError, RegionwiseError
from regionwise.images import Photo, Source, photo_like, read_photo
from regionwise.masks import Mask
from regionwise.poisson import blended
from regionwise.polyphase import PolyphaseEngine
from regionwise.windows import VIEW, Window, plan_windows
from regionwise.zoo import load_model

Box: TypeAlias = "str | tuple[int, int, int, int]"
Progress: TypeAlias = Callable[[int, int], None]
Large = Literal["auto", "detail", "window", "polyphase"]


def fill(
    photo: Source,
    mask: Source | None = None,
    model: str | os.PathLike[str] | Engine = "default",
    *,
    box: Box | None = None,
    invert_mask: bool = False,
    resize_mask: bool = False,
    grow: float = 0,
    feather: float | None = None,
    large: Large = "auto",
    ensemble: bool = False,
    blend: str = "none",
    device: Device = "auto",
    seed: int = 0,
) -> Any:
    """Fill the hole of a photo. Known pixels stay as they are, bit for bit.

    Args:
        photo: a path, a Pillow image, an array (H×W, H×W×3 or ×4; uint8, uint16 or float in
            [0, 1]), or the bytes of a file.
        mask: likewise; white is missing. With neither mask nor box, transparent pixels are.
        model: a name of `list_models()`, a file of weights, or what `load_model` gave.
        box: the hole as x, y, width, height instead of a mask.
        invert_mask: black is missing.
        resize_mask: scale a mask of another size to the photo's.
        grow: widen the hole by so many pixels.
        feather: pixels inside the hole over which the fill fades in; None for a sensible number.
        large: how large holes and photos are filled. "window": in windows round the holes;
            "detail": thick holes then get detail from the known region (`regionwise.detail`);
            "polyphase": by the photo's polyphase components, each a small picture of the whole
            scene. "auto" is detail for the bundled networks, whose fills of thick holes are soft,
            where the photo is larger than a window; else window.
        ensemble: average the answers to the picture turned and mirrored; takes five times as long.
        blend: "poisson" shifts the fill's light smoothly, so that it meets the photo at the border.
        device: auto, cpu or cuda.
        seed: for models that draw numbers, and for the search for detail.

    Returns:
        The same kind as `photo`; a Pillow image for a path.

    Raises:
        RegionwiseError: with one line that says what is wrong and how to mend it.

    Warns:
        RegionwiseWarning: for an empty mask (the photo comes back as it is) and for a huge hole.
    """
    source = read_photo(photo)
    hole = find_hole(
        source, mask, box=box, invert_mask=invert_mask, resize_mask=resize_mask, grow=grow
    )
    engine = _engine(model, device, seed)
    engine = blended(EnsembleEngine(engine) if ensemble else engine, blend)
    filled = fill_photo(source, hole, engine, feather=feather, large=large, seed=seed)
    return photo_like(filled, photo)


def find_hole(
    photo: Photo,
    mask: Source | None = None,
    *,
    box: Box | None = None,
    invert_mask: bool = False,
    resize_mask: bool = False,
    grow: float = 0,
) -> Mask:
    """The hole as H×W bool, from a mask, a box, or the photo's transparent pixels; see `fill`."""
    size = photo.height, photo.width
    if mask is not None and box is not None:
        raise MaskError("both a mask and a box were given; give one of them")
    if mask is not None:
        hole = masks.read_mask(mask, size=size, invert=invert_mask, resize=resize_mask)
    else:
        if box is not None:
            corners = masks.parse_box(box) if isinstance(box, str) else masks.check_box(box)
            hole = masks.mask_from_box(*corners, size)
        else:
            hole = masks.mask_from_alpha(photo)
        hole = masks.invert(hole) if invert_mask else hole
    hole = masks.grow(hole, grow) if grow else hole
    masks.check_mask(hole)
    return hole


def fill_photo(
    photo: Photo,
    hole: Mask,
    engine: Engine,
    *,
    feather: float | None = None,
    large: Large = "auto",
    seed: int = 0,
    view: int = VIEW,
    progress: Progress | None = None,
) -> Photo:
    """Fill a photo in windows, or by its polyphase components.

    Args:
        photo: upright.
        hole: H×W bool.
        engine: what fills.
        feather, large, seed: see `fill`.
        view: the largest side of a window.
        progress: called with the windows done and their number, after each batch.

    Raises:
        ModelError: if the engine's answer is no picture.
        RegionwiseError: for a feather or a way that can't be.
    """
    check_large(large)
    if large == "polyphase":
        engine, view = PolyphaseEngine(engine), max(hole.shape)
    if feather is not None:
        masks.check_pixels("feather", feather)
        feather = min(feather, sum(hole.shape))  # no pixel lies deeper in a hole
    groups = plan_windows(hole, view)
    canvases = [Canvas(photo.color, hole, group, feather) for group in groups]
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
            progress(done, len(jobs))
    soft = getattr(engine, "lacks_detail", False) and max(hole.shape) > view
    if large == "detail" or (large == "auto" and soft):
        for canvas in canvases:
            if needs_detail(hole, canvas.group, view):
                canvas.color = with_detail(photo.color, hole, canvas.group, canvas.color, seed)
    return photo.with_fills(
        [
            (group.top, group.left, canvas.color, group.hole)
            for group, canvas in zip(groups, canvases, strict=True)
        ]
    )


def check_large(way: str) -> None:
    """Raise a `RegionwiseError` if there is no such way of filling a large photo."""
    if way not in get_args(Large):
        raise RegionwiseError(
            f"there is no way {way!r} of filling a large photo; give {', '.join(get_args(Large))}"
        )


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
        raise ModelError("the model answered with values that are no numbers; try --model membrane")
    return answers


def _engine(model: str | os.PathLike[str] | Engine, device: Device, seed: int) -> Engine:
    if not isinstance(model, (str, os.PathLike)):
        if not hasattr(model, "fill"):
            raise ModelError(
                f"an object of type {type(model).__name__} is no model; "
                "give a name, a file of weights, or what load_model gave"
            )
        return model
    name = os.fspath(model)
    if Path(name).exists():  # which may change between two calls
        return load_model(name, device, seed=seed)
    return _named_engine(name, device, seed)


@lru_cache(maxsize=1)
def _named_engine(name: str, device: Device, seed: int) -> Engine:
    return load_model(name, device, seed=seed)
