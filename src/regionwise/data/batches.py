"""Photos and drawn holes, as training batches.

A training set is an endless stream of photos: once through all of them in an order drawn for that
epoch, then again in another. Everything about its photo number k (which one, crop, flip, holes) is
drawn from the seed and k alone, so the stream is the same with any number of workers or processes,
and a resumed training just starts at the number where it stopped.
"""

from __future__ import annotations

import atexit
import os
import signal
import weakref
from collections.abc import Generator, Iterator, Mapping, Sequence
from functools import lru_cache, partial
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Sampler

from regionwise.arrays import Mask
from regionwise.data.framing import framed
from regionwise.errors import DataError, RegionwiseError
from regionwise.holes import FAMILIES, Family, StoredMasks, draw_hole, rectangle
from regionwise.layers.canny import canny_edges
from regionwise.photos.photo_source import PhotoSource
from regionwise.photos.stored_files import place_of
from regionwise.plugins import HOLES, load_plugin, plugins
from regionwise.recipe.schema import STORED, DataSection, HolesSection


class Batch(NamedTuple):
    """Training pictures.

    `image`: N×3×S×S float in [0, 1]. `mask`: N×1×S×S of 0 and 1, 1 = missing. `broken`: what was
    wrong with photos that were passed over, by name. `guide`: of the whole pictures, if
    `data.guide` asks for them, the true edges, N×1×S×S, or structure, N×3×S×S.
    """

    image: Tensor
    mask: Tensor
    broken: dict[str, str]
    guide: Tensor | None = None


class HolePhotos(Dataset[Batch]):
    """The stream: item k is photo number k, as one picture, or one for each of several holes.

    Args:
        photos: from `regionwise.data.photo_sources.find_photos`.
        data: how a photo becomes a picture.
        holes: which holes are drawn.
        seed: see the module.
    """

    def __init__(
        self, photos: Sequence[PhotoSource], data: DataSection, holes: HolesSection, seed: int
    ) -> None:
        self.photos = photos
        self.data = data
        self.holes = holes
        self.seed = seed
        self._families = families(holes)

    def __getitem__(self, position: int) -> Batch:
        """The pictures of photo number `position` of the endless stream."""
        rng = np.random.default_rng([self.seed, position])
        picture, broken = self._picture(position, rng)
        masks = draw_holes(self.holes, self._families, self.data.size, rng)
        image = torch.from_numpy(picture).permute(2, 0, 1).float() / 255
        mask = torch.from_numpy(np.stack(masks)).float().unsqueeze(1)
        image = image.expand(len(masks), -1, -1, -1)
        if self.data.guide is None:
            return Batch(image, mask, broken)
        guide = _guide(self.data.guide, image[:1])
        return Batch(image, mask, broken, guide.expand(len(masks), -1, -1, -1))

    def _picture(
        self, position: int, rng: np.random.Generator
    ) -> tuple[NDArray[np.uint8], dict[str, str]]:
        """The photo whose turn it is; if it is broken, the next one that is not."""
        epoch, place = divmod(position, len(self.photos))
        order = _order(self.seed, epoch, len(self.photos))
        broken: dict[str, str] = {}
        for turn in range(len(self.photos)):
            stored = self.photos[order[(place + turn) % len(order)]]
            try:
                return framed(stored.read(), self.data, rng), broken
            except Exception as error:  # Pillow's decoders raise errors of many kinds
                broken[stored.name] = " ".join(str(error).split())[:200]
        name, reason = next(iter(broken.items()))
        raise DataError(f"not one of {len(self.photos)} photos can be read; {name}: {reason}")


def _guide(kind: str, image: Tensor) -> Tensor:
    """The true guide of a whole picture, 1×3×S×S."""
    nothing = torch.zeros_like(image[:, :1])
    if kind == "edges":
        return canny_edges(image, nothing)
    # Needs SciPy's solvers, which take their time to be imported.
    from regionwise.layers.relative_total_variation import smooth_structure

    return smooth_structure(image, nothing)


def families(holes: HolesSection) -> Mapping[str, Family]:
    """What the names of a mixture mean: drawn families, other packages', and the stored masks.

    Raises:
        DataError: if the files of stored masks are missing.
    """
    known: dict[str, Family] = dict(FAMILIES)
    for name in set(holes.mixture).intersection(plugins(HOLES)).difference(FAMILIES):
        known[name] = load_plugin(HOLES, name)
    if holes.sides is not None:
        known["rectangle"] = partial(rectangle, sides=holes.sides)
    if STORED in holes.mixture:
        sources = [place_of(source) for source in holes.masks]
        known[STORED] = StoredMasks(sources, augment=holes.augment, invert=holes.invert)
    return known


def draw_holes(
    holes: HolesSection, known: Mapping[str, Family], size: int, rng: np.random.Generator
) -> list[Mask]:
    """The holes for one photo of `size`×`size` pixels: one, or one of each family."""
    if holes.draw == "one":
        mixtures = [holes.mixture]
    else:
        mixtures = [{name: weight} for name, weight in sorted(holes.mixture.items())]
    return [draw_hole((size, size), rng, one, holes.ratio, families=known) for one in mixtures]


@lru_cache(maxsize=2)
def _order(seed: int, epoch: int, count: int) -> NDArray[np.int64]:
    return np.random.default_rng([seed, epoch, 0]).permutation(count)


def collate(batches: Sequence[Batch]) -> Batch:
    """Several batches as one."""
    guides = [batch.guide for batch in batches if batch.guide is not None]
    return Batch(
        torch.cat([batch.image for batch in batches]),
        torch.cat([batch.mask for batch in batches]),
        {name: reason for batch in batches for name, reason in batch.broken.items()},
        torch.cat(guides) if guides else None,
    )


class _Share(Sampler[list[int]]):
    """Of each step's batch every `processes`-th photo, from photo number `process` on."""

    def __init__(self, steps: range, batch: int, first: int, process: int, processes: int) -> None:
        self.steps, self.batch, self.first = steps, batch, first
        self.process, self.processes = process, processes

    def __iter__(self) -> Iterator[list[int]]:
        for step in self.steps:
            start = self.first + step * self.batch
            yield list(range(start + self.process, start + self.batch, self.processes))

    def __len__(self) -> int:
        return len(self.steps)


def stream_batches(
    photos: HolePhotos,
    batch: int,
    steps: range,
    *,
    first: int = 0,
    workers: int = 0,
    process: int = 0,
    processes: int = 1,
) -> Iterator[Batch]:
    """This process's share of the batches of some steps.

    Args:
        photos: the stream.
        batch: photos of a step, over all processes together. Where the processes can't share it
            evenly, the first ones get one more.
        steps: of which steps.
        first: number of the photo with which step 0 begins.
        workers: processes that read photos and draw holes; no more are started than
            `usable_cores` counts.
        process: number of this training process.
        processes: how many there are.

    Raises:
        DataError: if a process would get nothing.
    """
    if batch < processes:
        raise DataError(f"a batch of {batch} photos can't be shared by {processes} processes")
    loader = DataLoader(
        photos,
        batch_sampler=_Share(steps, batch, first, process, processes),
        num_workers=min(workers, usable_cores()),
        collate_fn=collate,
        prefetch_factor=4 if workers else None,
        pin_memory=torch.cuda.is_available(),
        worker_init_fn=_ignore_stop_signals,
        generator=torch.Generator(),  # else it would draw from the training's own chance
    )
    batches = _told_in_one_line(loader)
    # Python waits at its end for workers, and these ignore SIGTERM.
    atexit.register(_close, weakref.ref(batches))
    return batches


def usable_cores() -> int:
    """Cores that this process may use: those of the machine, or fewer if it was given fewer."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _told_in_one_line(loader: DataLoader[Batch]) -> Generator[Batch, None, None]:
    """The loader's batches; torch puts a worker's traceback before what went wrong in it."""
    try:
        yield from loader
    except RegionwiseError as error:
        last = str(error).rstrip().splitlines()[-1]
        name = f"{type(error).__module__}.{type(error).__name__}: "
        error.__traceback__ = None  # it holds the loader's processes: whoever keeps the error would
        raise type(error)(last.removeprefix(name)) from error


def _close(reference: weakref.ref[Generator[Batch, None, None]]) -> None:
    generator = reference()
    if generator is not None:
        generator.close()


def _ignore_stop_signals(worker: int) -> None:
    """Ctrl-C and SIGTERM reach workers too, but the training itself says when they end."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
