"""Fill a hole with patches of the known region: exemplar-based completion, in NumPy.

The hole is filled coarse to fine. At each level every patch that touches the hole looks for its
nearest patch in the known region, and every missing pixel becomes the weighted mean of what the
patches over it found (Wexler, Shechtman and Irani, Space-Time Completion of Video, PAMI 2007). The
nearest patches are found exactly at the coarsest level, and by propagation and random search at the
finer ones (Barnes et al., PatchMatch, SIGGRAPH 2009), for all patches at once.

Two things keep blur out, both of Newson et al., Video Inpainting of Complex Scenes, SIAM Journal
on Imaging Sciences 2014: the coarsest level is filled from the border inwards, and patches are
compared by their roughness too, which at a coarse level tells gravel from sky of the same colour.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from regionwise.arrays import Bools, Floats, Integers
from regionwise.classical.membrane import membrane_fill

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
_BORDER_SOURCES = 20_000
"""Patches among which the fill from the border looks."""
_ROUGH = 5
"""Pixels of a side of the squares over which roughness is measured."""
_ROUGHNESS = 3.0
"""Weight of the roughness among the channels by which patches are compared."""
_GUIDED = 2
"""Levels, from the coarsest on, at which a guide is looked at."""
_GUIDANCE = 0.25
"""Weight of the guide's channels there."""


def complete(picture: Floats, hole: Bools, seed: int = 0) -> Floats:
    """Fill the hole with patches of the known region.

    Args:
        picture: H×W×3 in [0, 1]; what it holds inside the hole is ignored.
        hole: H×W, True = missing.
        seed: of the random search.

    Returns:
        H×W×3; known pixels are the picture's own. Where there is no whole known patch, a membrane.
    """
    return match(picture, hole, None, seed)[0]


def match(
    picture: Floats, hole: Bools, guide: Floats | None, seed: int = 0
) -> tuple[Floats, NearestPatches | None]:
    """Fill the hole, and tell where its patches come from.

    Args:
        picture, hole, seed: see `complete`.
        guide: H×W×3, a coarse idea of the whole picture, to which the fill keeps on the large.

    Returns:
        The filled picture, H×W×3, and the nearest patches; None without a hole or a known patch.
    """
    known = np.concatenate([picture, _ROUGHNESS * _roughness(picture, hole)], axis=2)
    if not hole.any() or not _sources(hole).any():
        return _membrane(picture, hole), None
    rng = np.random.default_rng(seed)
    levels = _levels(_membrane(known, hole), hole, guide)
    estimate = _from_the_border(levels[-1].known, levels[-1].hole, rng)
    found: NearestPatches | None = None
    for number, level in enumerate(reversed(levels)):
        if found is not None:
            larger = _doubled(estimate, level.hole.shape)
            found = found.doubled(level.hole, rng)
            estimate = vote(np.where(level.hole[..., None], larger, level.known), level.hole, found)
        if number == len(levels) - 1:  # at its finest, roughness is the colours' own
            estimate = estimate[..., :3]
        for _ in range(_ROUNDS[min(number, len(_ROUNDS) - 1)]):
            compared = estimate
            if level.guide is not None and number < _GUIDED:
                compared = np.concatenate([estimate, _GUIDANCE * level.guide], axis=2)
            found = search(compared, level.hole, found, rng)
            estimate = vote(estimate, level.hole, found)
    return estimate, found


@dataclass
class _Level:
    """A scale: colours and roughness with a smooth fill, what is missing, and the guide."""

    known: Floats
    hole: Bools
    guide: Floats | None


def _levels(known: Floats, hole: Bools, guide: Floats | None) -> list[_Level]:
    """From fine to coarse, until patches reach across the hole or no patch is known."""
    levels = [_Level(known, hole, guide)]
    while _depth(levels[-1].hole).max() > _DEEPEST and min(levels[-1].hole.shape) >= 2 * _SHORTEST:
        smaller = _halved(levels[-1])
        if not _sources(smaller.hole).any():
            break
        levels.append(smaller)
    return levels


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

    def place(self, indices: Integers) -> tuple[Integers, Integers]:
        """Rows and columns of indices in the picture as it was before it was padded."""
        rows, columns = np.divmod(indices, self.width)
        return rows - RADIUS, columns - RADIUS

    def doubled(self, hole: Bools, rng: np.random.Generator) -> NearestPatches:
        """The same at twice the size, for the hole there; distances are 1 until the next search."""
        fine = _unsearched(hole, rng)
        places = np.full(self.is_source.size, -1)
        places[self.targets] = self.sources
        rows, columns = fine.place(fine.targets)
        height = self.is_source.size // self.width - 2 * RADIUS
        coarse_rows = np.minimum(rows // 2, height - 1) + RADIUS
        coarse_columns = np.minimum(columns // 2, self.width - 2 * RADIUS - 1) + RADIUS
        coarse = places[coarse_rows * self.width + coarse_columns]
        source_rows, source_columns = self.place(coarse)
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
    channels = colors.shape[1]
    sums = np.zeros((colors.shape[0], channels + 1))
    for shift in _shifts(found.width):
        place, color = found.targets + shift, colors[found.sources + shift]
        for channel in range(channels):
            sums[place, channel] += weights * color[:, channel]
        sums[place, channels] += weights
    sums = sums.reshape(*padded.shape[:2], -1)[RADIUS:-RADIUS, RADIUS:-RADIUS]
    mean = sums[..., :channels] / np.maximum(sums[..., channels:], 1e-30)
    return np.where(hole[..., None], mean, picture).astype(np.float32)


def _from_the_border(picture: Floats, hole: Bools, rng: np.random.Generator) -> Floats:
    """Fill ring after ring: each pixel is the middle of the patch that best fits what is there."""
    padded = _padded(picture).copy()
    width, channels = padded.shape[1:]
    colors = padded.reshape(-1, channels)
    there, missing = np.pad(~hole, RADIUS, mode="edge"), np.pad(hole, RADIUS)
    sources = _some(np.flatnonzero(np.pad(_sources(hole), RADIUS)), _BORDER_SOURCES, rng)
    candidates = _patches(padded, sources, width).T
    squares = candidates**2
    while (missing & ~there).any():
        ring = ndimage.binary_dilation(there, np.ones((3, 3))) & missing & ~there
        targets = np.flatnonzero(ring)
        weights = there.ravel()[targets[:, None] + _shifts(width)].repeat(channels, axis=1)
        weights = weights.astype(np.float32)
        patches = weights * _patches(padded, targets, width)
        nearest = (weights @ squares - 2 * patches @ candidates).argmin(axis=1)
        colors[targets] = colors[sources[nearest]]
        there |= ring
    filled: Floats = padded[RADIUS:-RADIUS, RADIUS:-RADIUS]
    return filled


def _roughness(picture: Floats, hole: Bools) -> Floats:
    """Mean step between known neighbours, in light, round each pixel; H×W×1, 0 where none is."""
    light, known = picture.mean(axis=2), ~hole
    steps = np.zeros_like(light)
    steps[:, 1:] += np.abs(np.diff(light, axis=1)) * (known[:, 1:] & known[:, :-1])
    steps[1:] += np.abs(np.diff(light, axis=0)) * (known[1:] & known[:-1])
    share = ndimage.uniform_filter(known.astype(np.float32), _ROUGH)
    mean: Floats = ndimage.uniform_filter(steps, _ROUGH) / np.maximum(share, np.float32(0.04))
    return mean[..., None]


def _some(places: Integers, most: int, rng: np.random.Generator) -> Integers:
    return places if len(places) <= most else rng.choice(places, most, replace=False)


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
    most = max(1, _PAIRS // len(found.targets))
    sources = _some(np.flatnonzero(found.is_source), most, rng)
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


def _halved(level: _Level) -> _Level:
    """Half the size: means of the known pixels of 2×2, missing where fewer than two are known."""
    height, width = (side // 2 for side in level.hole.shape)

    def blocks(x: Floats) -> Floats:
        return x[: 2 * height, : 2 * width].reshape(height, 2, width, 2, -1)

    known = blocks((~level.hole).astype(np.float32))
    count = known.sum(axis=(1, 3))
    mean = (blocks(level.known) * known).sum(axis=(1, 3)) / np.maximum(count, 1)
    missing = count[..., 0] < 2
    guide = None if level.guide is None else blocks(level.guide).mean(axis=(1, 3))
    return _Level(_membrane(mean, missing), missing, guide)


def _doubled(picture: Floats, size: tuple[int, ...]) -> Floats:
    large = picture.repeat(2, axis=0).repeat(2, axis=1)
    return np.pad(
        large, [(0, size[0] - large.shape[0]), (0, size[1] - large.shape[1]), (0, 0)], mode="edge"
    )
