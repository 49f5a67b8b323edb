"""Fill a hole with patches of its photo, guided by a network's fill: coarse to fine.

At each scale every patch that touches the hole looks for a known patch like it
(`patch_search`), and every missing pixel becomes the weighted mean of what the patches over it
found. Three things say what a patch should look like: what is there so far, the guide, and how the
photo repeats itself (`offset_statistics`).

- The guide counts at the coarsest scales only, and there only as far as it is sharp: each component
  of a patch is drawn towards the guide's by a share that falls with the scale and with the variance
  that the guide lacks there. A soft guide so gives light and colour, a sharp one edges too.
- Offsets that are common among the known patches cost less at the coarsest scales, so that rows of
  windows, fences and tiles go on.
- Patches are compared by their roughness too, which at a coarse scale tells gravel from sky of the
  same colour (Newson et al. 2014).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from regionwise.arrays import Bools, Floats
from regionwise.classical.border_fill import fill_from_border
from regionwise.classical.membrane import membrane_fill
from regionwise.classical.offset_statistics import offset_prices
from regionwise.classical.patch_search import RADIUS, PatchSearch, known_patches
from regionwise.classical.progress import ReportProgress

Offsets: TypeAlias = "NDArray[np.int32]"
_T = TypeVar("_T")

_DEEPEST = 5
"""Depth of a hole, in pixels, at which no coarser scale is needed: patches reach the border."""
_SHORTEST = 24
"""Pixels of the shorter side below which no scale goes."""
_FEWEST = 64
"""Known patches without which a scale is of no use."""
_GUIDANCE = (0.2, 0.1, 0.05)
"""How far patches are drawn towards the guide's at the coarsest scale, the next, and so on."""
_PRIOR = 0.3
"""What a source costs whose offset never occurs, in shares of the known patches' variance."""
_PRIORED = 3
"""Scales, from the coarsest on, at which offsets cost something; the finest never is one."""
_ROUGHNESS = 3.0
"""Weight of the roughness among what is compared."""
_ROUGH = 5
"""Pixels of a side of the squares over which roughness is measured."""
_ROUNDS = (8, 6, 5, 4)
"""Searches and votes at the coarsest scale, the next, and so on."""
_STAY = 0.25
"""Share of its price below which a previous frame's source is given up."""


@dataclass(frozen=True)
class Synthesis:
    """What became of a hole.

    Attributes:
        picture: H×W×3, known or voted; its light is right and its seams are soft.
        offsets: H×W×2, down and right from each pixel in or near the hole to its source.
        reached: H×W, where offsets mean something.
        misfit: H×W, how badly sources fit, in shares of the known patches' variance; 0 elsewhere.
    """

    picture: Floats
    offsets: Offsets
    reached: Bools
    misfit: Floats


def synthesize(
    picture: Floats,
    hole: Bools,
    guide: Floats,
    *,
    seed: int = 0,
    previous: Offsets | None = None,
    progress: ReportProgress | None = None,
) -> Synthesis | None:
    """Fill the hole with patches of the known region.

    Args:
        picture: H×W×3 in [0, 1]; what it holds inside the hole is ignored.
        hole: H×W, True = missing.
        guide: H×W×3, another fill of the hole, soft but plausible.
        seed: of all chance; the same seed gives the same fill.
        previous: offsets of the same hole in the frame before: these sources stay, unless others
            are much better.
        progress: called many times a second with the share that is done, 0 to 1; what it raises
            ends the search.

    Returns:
        None without a hole or with too few known patches.
    """
    if not hole.any() or known_patches(hole).sum() < _FEWEST:
        return None
    rng = np.random.default_rng(seed)
    scales = _scales(picture, hole, guide)
    if previous is not None:
        scales = scales[:1]
    meter = _Meter(scales, progress)
    search: PatchSearch | None = None
    estimate = scales[-1].picture
    for number, scale in enumerate(reversed(scales)):
        finest = number == len(scales) - 1
        meter.start(number)
        finer = PatchSearch(scale.picture, scale.hole, 0 if finest else _ROUGHNESS, rng, meter.tick)
        job = _Job(scale, number, finest, rng)
        if previous is not None:
            estimate = _steady(finer, job, previous)
        elif search is None:
            estimate = fill_from_border(scale.picture, scale.hole, rng, meter.tick)
            estimate = _improved(finer, job, estimate)
        else:
            estimate = _enlarged(estimate, scale)
            finer.adopt(search)
            finer.aim(finer.describe_targets(estimate))
            estimate = _improved(finer, job, finer.vote(estimate))
        search = finer
    assert search is not None
    return _result(search, estimate)


def complete(picture: Floats, hole: Bools, seed: int = 0) -> Floats:
    """Fill the hole with patches of the known region, guided by a membrane alone.

    Args:
        picture: H×W×3 in [0, 1]; what it holds inside the hole is ignored.
        hole: H×W, True = missing.
        seed: of all chance.

    Returns:
        H×W×3; known pixels are the picture's own. Where too little is known, the membrane.
    """
    known = np.where(hole[..., None], np.float32(0), picture)
    guide = _smooth(known, hole)
    found = synthesize(known, hole, guide, seed=seed)
    return np.where(hole[..., None], guide if found is None else found.picture, picture)


@dataclass(frozen=True)
class _Scale:
    """Colours and roughness with a smooth fill, H×W×4; what is missing; the guide, H×W×4."""

    picture: Floats
    hole: Bools
    guide: Floats


@dataclass(frozen=True)
class _Job:
    """A scale and its number, counted from the coarsest."""

    scale: _Scale
    number: int
    finest: bool
    rng: np.random.Generator


class _Meter:
    """Tells how much is done, in targets times rounds; each tick is a step towards a scale's end.

    How many ticks a scale will take isn't known before: each takes a twentieth of what is left.
    """

    def __init__(self, scales: list[_Scale], progress: ReportProgress | None) -> None:
        sizes = [float(scale.hole.size) for scale in reversed(scales)]
        ends = np.cumsum(sizes) / sum(sizes)
        self._ends = [0.0, *ends.tolist()]
        self._progress = progress
        self._share, self._end = 0.0, 0.0

    def start(self, number: int) -> None:
        self._share, self._end = self._ends[number], self._ends[number + 1]
        self.tick()

    def tick(self) -> None:
        self._share += (self._end - self._share) / 20
        if self._progress is not None:
            self._progress(self._share)


def _improved(search: PatchSearch, job: _Job, estimate: Floats) -> Floats:
    """Rounds of aim, search and vote; the estimate afterwards."""
    guide = search.describe_targets(job.scale.guide)
    pull = np.float32(_nth((*_GUIDANCE, 0.0), job.number)) * search.softness(
        guide, search.depth > RADIUS
    )
    pull[-1] = 0  # a guide's roughness is not that of the photo
    extra = None
    if not job.finest and job.number < _PRIORED:
        extra = np.float32(_PRIOR * search.spread) * offset_prices(search, job.rng)
    for number in range(_nth(_ROUNDS, job.number)):
        wanted = search.describe_targets(estimate)
        search.aim(wanted + pull * (guide - wanted), extra)
        search.search(exactly=number % 2 == 0)
        estimate = search.vote(estimate)
    return estimate


def _steady(search: PatchSearch, job: _Job, previous: Offsets) -> Floats:
    """The previous frame's sources, each changed only for a much better one of a neighbour."""
    search.move(previous)
    search.aim(search.describe_targets(job.scale.picture))
    estimate = search.vote(job.scale.picture)
    search.aim(search.describe_targets(estimate))
    search.propagate(_STAY)
    return search.vote(estimate)


def _result(search: PatchSearch, estimate: Floats) -> Synthesis:
    reached = np.zeros(search.hole.shape, bool)
    misfit = np.zeros(search.hole.shape, np.float32)
    rows, columns = search.grid.rows_columns(search.targets)
    reached[rows, columns] = True
    misfit[rows, columns] = search.prices / max(search.spread, 1e-9)
    return Synthesis(estimate[..., :3].copy(), search.offsets(), reached, misfit)


def _scales(picture: Floats, hole: Bools, guide: Floats) -> list[_Scale]:
    """From fine to coarse, until patches reach across the hole or none is known."""
    rough = _smooth(_roughness(picture, hole), hole)
    full = np.where(hole[..., None], guide, picture)
    scales = [
        _Scale(np.concatenate([full, rough], 2), hole, np.concatenate([guide, rough], axis=2))
    ]
    while _depth(scales[-1].hole) > _DEEPEST and min(scales[-1].hole.shape) >= 2 * _SHORTEST:
        smaller = _halved(scales[-1])
        if known_patches(smaller.hole).sum() < _FEWEST:
            break
        scales.append(smaller)
    return scales


def _halved(scale: _Scale) -> _Scale:
    """Half the size: means of the known pixels of 2×2, missing where fewer than two are known."""
    height, width = (side // 2 for side in scale.hole.shape)

    def blocks(x: Floats) -> Floats:
        return x[: 2 * height, : 2 * width].reshape(height, 2, width, 2, -1)

    known = blocks((~scale.hole).astype(np.float32))
    count = known.sum(axis=(1, 3))
    mean = (blocks(scale.picture) * known).sum(axis=(1, 3)) / np.maximum(count, 1)
    guide = blocks(scale.guide).mean(axis=(1, 3))
    missing = count[..., 0] < 2
    return _Scale(np.where(missing[..., None], guide, mean), missing, guide)


def _enlarged(estimate: Floats, scale: _Scale) -> Floats:
    """The estimate at twice its size in the scale's hole."""
    large = estimate.repeat(2, axis=0).repeat(2, axis=1)
    lacking = [(0, a - b) for a, b in zip(scale.hole.shape, large.shape[:2], strict=True)]
    large = np.pad(large, [*lacking, (0, 0)], mode="edge")
    return np.where(scale.hole[..., None], large, scale.picture)


def _roughness(picture: Floats, hole: Bools) -> Floats:
    """Mean step between known neighbours, in light, round each pixel; H×W×1, 0 where none is."""
    light, known = picture.mean(axis=2), ~hole
    steps = np.zeros_like(light)
    steps[:, 1:] += np.abs(np.diff(light, axis=1)) * (known[:, 1:] & known[:, :-1])
    steps[1:] += np.abs(np.diff(light, axis=0)) * (known[1:] & known[:-1])
    share = ndimage.uniform_filter(known.astype(np.float32), _ROUGH)
    mean: Floats = ndimage.uniform_filter(steps, _ROUGH) / np.maximum(share, np.float32(0.04))
    return mean[..., None]


def _smooth(values: Floats, hole: Bools) -> Floats:
    filled = membrane_fill(values.transpose(2, 0, 1)[None], hole[None, None].astype(np.float32))
    smooth: Floats = filled[0].transpose(1, 2, 0)
    return smooth


def _depth(hole: Bools) -> float:
    return float(ndimage.distance_transform_edt(hole).max())


def _nth(values: tuple[_T, ...], number: int) -> _T:
    """The value of a scale; the last one counts for all finer ones."""
    return values[min(number, len(values) - 1)]
