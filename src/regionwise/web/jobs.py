"""What the worker threads do, by means of `regionwise.filling.fill_photo`; no HTTP here."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, replace

import numpy as np

from regionwise.arrays import Mask
from regionwise.classical.progress import ReportProgress
from regionwise.engines.engine import Engine
from regionwise.errors import MaskError, PhotoError, RegionwiseError
from regionwise.filling.hole import find_hole, resized
from regionwise.filling.photo_bytes import fill_found
from regionwise.photos import masks
from regionwise.photos.companions import beside, told
from regionwise.photos.frames import count_frames
from regionwise.photos.masks import FoundMask
from regionwise.photos.photo import Photo
from regionwise.photos.reading import read_photo
from regionwise.web.messages import FillRequest
from regionwise.web.refusals import RefusedError
from regionwise.web.stopping import Stop, StoppableEngine


@dataclass(frozen=True, eq=False)
class FinishedFill:
    """A fill and how it went."""

    photo: Photo
    hole_ratio: float
    seconds: float
    warnings: list[str]


def open_photo(data: bytes, max_pixels: int) -> Photo:
    """Decode a file that was sent.

    Raises:
        PhotoError: if it is no photo, or has too many pixels.
        RefusedError: with 413, if it does not fit into memory.
    """
    try:
        pictures = count_frames(data, "the photo")
        if pictures > 1:
            raise PhotoError(
                f"the photo holds {pictures} pictures, and here one is filled; send it alone, "
                "or fill the file by the command line"
            )
        return read_photo(data, max_pixels=max_pixels)
    except MemoryError as error:
        raise RefusedError(
            413, "there is not enough memory for this photo; scale it down"
        ) from error


def fill(
    photo: Photo,
    mask: bytes | None,
    request: FillRequest,
    engine: Engine,
    stop: Stop,
    *,
    max_pixels: int,
    progress: ReportProgress | None = None,
) -> FinishedFill:
    """Fill a photo; stops on the way when `stop` says so.

    Args:
        photo: decoded.
        mask: a file, or None for a box or the transparent pixels.
        request: the options, and where the mask lies.
        engine: of the model that the options name.
        stop: begun by the caller.
        max_pixels: of the mask.
        progress: called with the share that is done.

    Raises:
        RegionwiseError: with one line.
    """
    started = time.perf_counter()

    def step(share: float) -> None:
        if progress:
            progress(share)
        if share < 1:
            stop.check()

    try:
        found = _hole(photo, mask, request, max_pixels)
        stop.check()
        engine = StoppableEngine(engine, stop)
        filled = fill_found(photo, found, engine, request.options, progress=step)
    except MemoryError as error:
        raise RefusedError(413, "there is not enough memory for this fill; paint less") from error
    lost = told(beside(photo)) if found.mask.any() else None
    return FinishedFill(
        filled,
        masks.hole_ratio(found.mask),
        time.perf_counter() - started,
        [*found.warnings, *([lost] if lost else [])],
    )


def _hole(photo: Photo, mask: bytes | None, request: FillRequest, max_pixels: int) -> FoundMask:
    """As `find_hole`; a mask may also be a part of the photo's size, laid at a corner."""
    found = _asked_hole(photo, mask, request, max_pixels)
    if found.mask.all():
        raise MaskError("the mask covers all of the photo; leave something to go by")
    return found


def _asked_hole(
    photo: Photo, mask: bytes | None, request: FillRequest, max_pixels: int
) -> FoundMask:
    options, corner = request.options, request.corner
    if mask is None or options.box is not None or corner is None:
        return find_hole(photo, mask, options, max_pixels=max_pixels)
    part = masks.find_mask(
        mask, invert=options.invert_mask, way=options.mask_from, max_pixels=max_pixels
    )
    whole = replace(part, mask=_laid(part.mask, corner, (photo.height, photo.width)))
    return resized(whole, options)


def _laid(part: Mask, corner: tuple[int, int], size: tuple[int, int]) -> Mask:
    """A mask of the photo's size with `part` at a corner (x, y) and nothing missing round it."""
    x, y = corner
    height, width = part.shape
    if y + height > size[0] or x + width > size[1]:
        raise MaskError(
            f"the mask of {width}×{height} at {x},{y} reaches beyond the photo of "
            f"{size[1]}×{size[0]}; give one that lies inside"
        )
    hole = np.zeros(size, dtype=bool)
    hole[y : y + height, x : x + width] = part
    return hole


def one_line(error: BaseException) -> str:
    """What a client is told of an error."""
    if isinstance(error, RegionwiseError):
        return in_words_of_the_api(str(error))
    return "a mistake of the server itself; its log says more"


def in_words_of_the_api(message: str) -> str:
    """A message of the command line's options as one of the API's: --resize-mask, resize_mask."""
    return re.sub(
        r"--([a-z][a-z-]+)", lambda found: f"`{found.group(1).replace('-', '_')}`", message
    )
