"""Fill a hole with patches of the known region: exemplar-based completion, in NumPy.

The hole is filled coarse to fine. At each level every patch that touches the hole looks for its
nearest patch in the known region, and every missing pixel becomes the weighted mean of what the
patches over it found (Wexler, Shechtman and Irani, Space-Time Completion of Video, PAMI 2007). The
nearest patches are found exactly at the coarsest level, and by propagation and random search at the
finer ones (Barnes et al., PatchMatch, SIGGRAPH 2009), for all patches at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from regionwise.membrane import membrane_fill

Bools: TypeAlias = "NDArray[np.bool_]"
Floats: TypeAlias = "NDArray[np.float32]"
Integers: TypeAlias = "NDArray[np.intp]"

RADIUS = 3
"""Patches are 7×7."""
_SHORTEST = 32
"""Pixels of the shorter side below which no level goes."""
_DEEPEST = 5
"""Depth of a hole, in pixels, at which no coarser level is needed: patches reach the border."""
_ROUNDS = (8, 4, 2)
"""Searches and votes at the coarsest, the next and all finer levels."""
_CHUNK = 8192
"""Patches that are compared at once."""
_PAIRS = 10**8
"""Targets times sources of the first search, which a matrix product compares in about a second."""


def complete(picture: Floats, hole: Bools, seed: int = 0) -> Floats:
    """Fill the hole with patches of the known region.

    Args:
        picture: H×W×3 in [0, 1]; what it holds inside the hole is ignored.
        hole: H×W, True = missing.
        seed: of the random search.

    Returns:
        H×W×3; known pixels are the picture's own. Where there is no whole known patch, a membrane.
    """
    start = _membrane(picture, hole)
    if not hole.any() or not _sources(hole).any():
        return start
    rng = np.random.default_rng(seed)
    levels = [(start, hole)]
    while _depth(levels[-1][1]).max() > _DEEPEST and min(levels[-1][1].shape) >= 2 * _SHORTEST:
        smaller = _halved(*levels[-1])
        if not _sources(smaller[1]).any():
            break
        levels.append(smaller)
    found: NearestPatches | None = None
    estimate = levels[-1][0]
    for number, (known, missing) in enumerate(reversed(levels)):
        if found is not None:
            estimate = np.where(missing[..., None], _doubled(estimate, missing.shape), known)
            found = found.doubled(missing, rng)
            estimate = vote(estimate, missing, found)
        for _ in range(_ROUNDS[min(number, len(_ROUNDS) - 1)]):
            found = search(estimate, missing, found, rng)
            estimate = vote(estimate, missing, found)
    return estimate


@dataclass
class NearestPatches:
    """For each patch that touches the hole, where its nearest known patch lies.

    All indices are of pixels in the picture padded by `RADIUS` on each side, counted row by row.

    Attributes:
        width: of the padded picture.
        targets: centres of the patches that touch the hole, N.
        sources: centre of the nearest patch of each, N.
        distances: mean squared difference of the two patches, N.
        is_source: whether the patch round a pixel is wholly known.
    """

    width: int
    targets: Integers
    sources: Integers
    distances: Floats
    is_source: Bools

    def doubled(self, hole: Bools, rng: np.random.Generator) -> NearestPatches:
        """The same at twice the size, for the hole there; distances are 1 until the next search."""
        fine = _unsearched(hole, rng)
        places = np.full(self.is_source.size, -1)
        places[self.targets] = self.sources
        rows, columns = (place - RADIUS for place in np.divmod(fine.targets, fine.width))
        height = self.is_source.size // self.width - 2 * RADIUS
        coarse_rows = np.minimum(rows // 2, height - 1) + RADIUS
        coarse_columns = np.minimum(columns // 2, self.width - 2 * RADIUS - 1) + RADIUS
        coarse = places[coarse_rows * self.width + coarse_columns]
        source_rows, source_columns = (place - RADIUS for place in np.divmod(coarse, self.width))
        wanted = (2 * source_rows + rows % 2 + RADIUS) * fine.width
        wanted += 2 * source_columns + columns % 2 + RADIUS
        inside = (coarse >= 0) & (wanted < fine.is_source.size)
        usable = inside & fine.is_source[np.where(inside, wanted, 0)]
        fine.sources = np.where(usable, wanted, fine.sources)
        return fine


def search(
    picture: Floats, hole: Bools, found: NearestPatches | None, rng: np.random.Generator
) -> NearestPatches:
    """Find nearest patches: among many at first, else by improving what was found."""
    padded = _padded(picture)
    if found is None:
        found = _unsearched(hole, rng)
        return _exhaustive(padded, found, rng)
    found.distances = _distances(padded, found.targets, found.sources)
    for step in (1, -1):
        for stride in (found.width, 1):
            _propagate(padded, found, step * stride)
    reach = max(hole.shape) // 2
    while reach >= 1:
        shift = rng.integers(-reach, reach + 1, (2, len(found.targets)))
        _try(padded, found, found.sources + shift[0] * found.width + shift[1])
        reach //= 3
    return found


def vote(picture: Floats, hole: Bools, found: NearestPatches) -> Floats:
    """Each missing pixel becomes the weighted mean of what the patches over it found.

    A patch counts more the better it fits, and the nearer it is to the known region.
    """
    padded = _padded(picture)
    colors = padded.reshape(-1, padded.shape[2])
    typical = max(float(np.quantile(found.distances, 0.75)), 1e-6)
    depth = np.pad(_depth(hole), RADIUS, mode="edge").ravel()[found.targets]
    # A patch far worse than the typical one still counts where it is alone.
    weights = np.exp(-np.minimum(found.distances / (2 * typical), 30)) * 1.3**-depth
    sums = np.zeros((colors.shape[0], 4))
    for shift in _shifts(found.width):
        place, color = found.targets + shift, colors[found.sources + shift]
        for channel in range(3):
            sums[place, channel] += weights * color[:, channel]
        sums[place, 3] += weights
    sums = sums.reshape(*padded.shape[:2], 4)[RADIUS:-RADIUS, RADIUS:-RADIUS]
    mean = sums[..., :3] / np.maximum(sums[..., 3:], 1e-30)
    return np.where(hole[..., None], mean, picture).astype(np.float32)


def _unsearched(hole: Bools, rng: np.random.Generator) -> NearestPatches:
    """Targets and sources of a hole, each target with a source by chance."""
    wide = hole.shape[1] + 2 * RADIUS
    is_source = np.pad(_sources(hole), RADIUS).ravel()
    near = ndimage.maximum_filter(hole, 2 * RADIUS + 1)
    targets = np.flatnonzero(np.pad(near, RADIUS))
    sources = rng.choice(np.flatnonzero(is_source), len(targets))
    return NearestPatches(wide, targets, sources, np.ones(len(targets), np.float32), is_source)


def _sources(hole: Bools) -> Bools:
    """Centres of patches that are wholly known and lie inside the picture."""
    inside: Bools = ndimage.minimum_filter(~hole, 2 * RADIUS + 1, mode="constant", cval=0)
    return inside


def _depth(hole: Bools) -> Floats:
    """Distance of each missing pixel to the known region."""
    return np.asarray(ndimage.distance_transform_edt(hole), np.float32)


def _exhaustive(padded: Floats, found: NearestPatches, rng: np.random.Generator) -> NearestPatches:
    """|t − s|² = |t|² + |s|² − 2 t·s, for all targets and as many sources as are worth the time."""
    sources = np.flatnonzero(found.is_source)
    most = max(1, _PAIRS // len(found.targets))
    if len(sources) > most:
        sources = rng.choice(sources, most, replace=False)
    candidates = _patches(padded, sources, found.width)
    squares = np.einsum("ij,ij->i", candidates, candidates)
    step = max(1, 2**24 // len(sources))
    for start in range(0, len(found.targets), step):
        chunk = slice(start, start + step)
        patches = _patches(padded, found.targets[chunk], found.width)
        found.sources[chunk] = sources[(squares - 2 * patches @ candidates.T).argmin(axis=1)]
    found.distances = _distances(padded, found.targets, found.sources)
    return found


def _propagate(padded: Floats, found: NearestPatches, step: int) -> None:
    """Try the neighbour's source, moved by the same step."""
    places = np.full(found.is_source.size, -1)
    places[found.targets] = found.sources
    beside = places[found.targets - step]
    _try(padded, found, np.where(beside >= 0, beside + step, -1))


def _try(padded: Floats, found: NearestPatches, candidates: Integers) -> None:
    """Take the candidates that are nearer."""
    inside = (candidates >= 0) & (candidates < found.is_source.size)
    usable = inside & found.is_source[np.where(inside, candidates, 0)]
    usable &= candidates != found.sources
    (which,) = np.nonzero(usable)
    distances = _distances(padded, found.targets[which], candidates[which])
    better = distances < found.distances[which]
    found.sources[which[better]] = candidates[which[better]]
    found.distances[which[better]] = distances[better]


def _distances(padded: Floats, targets: Integers, sources: Integers) -> Floats:
    """Mean squared difference of the patches round targets and sources."""
    distances = np.empty(len(targets), np.float32)
    for start in range(0, len(targets), _CHUNK):
        chunk = slice(start, start + _CHUNK)
        width = padded.shape[1]
        difference = _patches(padded, targets[chunk], width)
        difference -= _patches(padded, sources[chunk], width)
        distances[chunk] = np.einsum("ij,ij->i", difference, difference) / difference.shape[1]
    return distances


def _patches(padded: Floats, centres: Integers, width: int) -> Floats:
    """N×(49·C), the patches round so many centres."""
    flat = padded.reshape(-1, padded.shape[2])
    patches: Floats = flat[centres[:, None] + _shifts(width)].reshape(len(centres), -1)
    return patches


def _shifts(width: int) -> Integers:
    reach = np.arange(-RADIUS, RADIUS + 1)
    return (reach[:, None] * width + reach).ravel()


def _padded(picture: Floats) -> Floats:
    return np.pad(picture, ((RADIUS, RADIUS), (RADIUS, RADIUS), (0, 0)), mode="edge")


def _membrane(picture: Floats, hole: Bools) -> Floats:
    filled = membrane_fill(picture.transpose(2, 0, 1)[None], hole[None, None].astype(np.float32))
    membrane: Floats = filled[0].transpose(1, 2, 0)
    return membrane


def _halved(picture: Floats, hole: Bools) -> tuple[Floats, Bools]:
    """Half the size: means of the known pixels of 2×2, missing where fewer than two are known."""
    height, width = (side // 2 for side in hole.shape)
    known = (~hole[: 2 * height, : 2 * width]).reshape(height, 2, width, 2).astype(np.float32)
    colors = picture[: 2 * height, : 2 * width].reshape(height, 2, width, 2, 3)
    count = known.sum(axis=(1, 3))
    mean = (colors * known[..., None]).sum(axis=(1, 3)) / np.maximum(count, 1)[..., None]
    return _membrane(mean, count < 2), count < 2


def _doubled(picture: Floats, size: tuple[int, ...]) -> Floats:
    large = picture.repeat(2, axis=0).repeat(2, axis=1)
    return np.pad(
        large, [(0, size[0] - large.shape[0]), (0, size[1] - large.shape[1]), (0, 0)], mode="edge"
    )
