"""Find, for every patch that touches a hole, a known patch like it: one scale of a synthesis.

A patch of 7×7 pixels is not compared by its 147 numbers but by some twenty: the mean of each
colour, and the principal components of what is left, learnt from the known patches of the picture
itself. All known patches are described once; a candidate then costs one short row to fetch, and all
targets are compared with all sources by one matrix product where that is affordable. Otherwise
sources spread from neighbour to neighbour and are improved by chance (Barnes et al., PatchMatch,
SIGGRAPH 2009), for all targets at once.

Every source has a price: its distance, and what the caller adds for its offset.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from regionwise.arrays import Bools, Floats, Integers

Tick: TypeAlias = Callable[[], None]

RADIUS = 3
"""Patches are 7×7."""
COMPONENTS = 20
"""Principal components that are compared, beside the three means."""
_MEANS = 0.75
"""Weight of the means: what is right but for its light is brought to the right light later."""
_LEARNT = 4000
"""Known patches from which the components are learnt."""
_CHUNK = 8192
"""Patches that are described at once."""
_PAIRS = 6 * 10**7
"""Targets times sources that are compared one and all; a matrix product takes half a second."""
_BLOCK = 2**21
"""Pairs whose prices are held at once."""
_JUMPS = 6
"""Random candidates for each target in a round, each a third as far away as the one before."""
_NONE = -1


@dataclass(frozen=True)
class Grid:
    """The places of a picture that is padded by `RADIUS` on each side, counted row by row.

    Attributes:
        height, width: of the picture without padding.
    """

    height: int
    width: int

    @property
    def stride(self) -> int:
        """Places from one row to the next."""
        return self.width + 2 * RADIUS

    @property
    def shifts(self) -> Integers:
        """From a patch's centre to its 49 pixels."""
        reach = np.arange(-RADIUS, RADIUS + 1)
        return (reach[:, None] * self.stride + reach).ravel()

    def rows_columns(self, places: Integers) -> tuple[Integers, Integers]:
        """Rows and columns in the picture without padding."""
        rows, columns = np.divmod(places, self.stride)
        return rows - RADIUS, columns - RADIUS

    def places(self, rows: Integers, columns: Integers) -> Integers:
        """The other way round."""
        return (rows + RADIUS) * self.stride + columns + RADIUS


class PatchSearch:
    """Targets and their sources at one scale.

    Attributes:
        grid: what places mean.
        targets: places of the patches that touch the hole, N.
        sources: the best known patch of each so far, N.
        prices: what each costs, N; infinite before the first search.
        depth: distance of each target to the known region, 0 outside the hole, N.
        known: places of all known patches, M.
        spread: variance of the known patches, summed over what is compared; the unit of prices.
    """

    def __init__(
        self,
        picture: Floats,
        hole: Bools,
        weight: float,
        rng: np.random.Generator,
        tick: Tick,
    ) -> None:
        """Describe the known patches.

        Args:
            picture: H×W×4, colours in [0, 1] and roughness.
            hole: H×W, True = missing; `known_patches` of it must not be empty.
            weight: of the roughness.
            rng: where chance comes from.
            tick: called many times a second; what it raises ends the search.
        """
        self.grid = Grid(*hole.shape)
        self.targets = np.flatnonzero(np.pad(ndimage.maximum_filter(hole, 2 * RADIUS + 1), RADIUS))
        self._is_source = np.pad(known_patches(hole), RADIUS).ravel()
        self.known = np.flatnonzero(self._is_source)
        self.hole = hole
        depth = np.asarray(ndimage.distance_transform_edt(hole), np.float32)
        self.depth = np.pad(depth, RADIUS, mode="edge").ravel()[self.targets]
        self._rng, self._tick = rng, tick
        self._weight = np.float32(weight)
        self._extra: Floats | None = None
        self._rows, self._columns = self.grid.rows_columns(self.targets)
        pixels = _padded(picture)
        self._basis = _components(self._patches(pixels, _some(self.known, _LEARNT, rng))[..., :3])
        self._described = np.zeros((len(pixels), self._basis.shape[1] + 1), np.float32)
        for start in range(0, len(self.known), _CHUNK):
            chunk = self.known[start : start + _CHUNK]
            self._described[chunk] = self._describe(pixels, chunk)
            tick()
        self.spread = float(self._described[self.known].var(axis=0).sum())
        self.sources = rng.choice(self.known, len(self.targets))
        self.prices = np.full(len(self.targets), np.inf, np.float32)
        self._wanted = np.zeros((len(self.targets), self._described.shape[1]), np.float32)

    def describe_targets(self, picture: Floats) -> Floats:
        """What the targets look like in a picture, H×W×4: N×23 colours and N×1 roughness."""
        pixels = _padded(picture)
        starts = range(0, len(self.targets), _CHUNK)
        return np.concatenate(
            [self._describe(pixels, self.targets[start : start + _CHUNK]) for start in starts]
        )

    def softness(self, described: Floats, deep: Bools) -> Floats:
        """How much of the known patches' variance these targets have, 0 to 1, for each number."""
        own = described[deep if deep.any() else slice(None)].var(axis=0)
        known = self._described[self.known].var(axis=0)
        share: Floats = np.clip(own / np.maximum(known, np.float32(1e-9)), 0, 1)
        return share

    def known_described(self, places: Integers) -> Floats:
        """Descriptions of known patches."""
        described: Floats = self._described[places]
        return described

    def aim(self, wanted: Floats, extra: Floats | None = None) -> None:
        """Set what the targets should look like, and price the present sources anew.

        Args:
            wanted: N×24, see `describe_targets`.
            extra: (2H+1)×(2W+1), what a source costs by its offset from the target, middle = none.
        """
        self._wanted, self._extra = wanted, extra
        self.prices = self._priced(self.sources, np.arange(len(self.targets)))

    def search(self, *, exactly: bool) -> None:
        """A round: among all sources if asked and affordable; else by neighbours and by chance."""
        if self.affordable:
            if exactly:
                self._among_all()
            self.propagate()
        else:
            self.propagate()
            self._jump()
            self.propagate()

    @property
    def affordable(self) -> bool:
        """Whether all targets can be compared with all sources."""
        return len(self.targets) * len(self.known) <= _PAIRS

    def offer(self, candidates: Integers, keep: float = 1.0) -> None:
        """Take candidates, one for each target (-1 = none), where they cost less.

        Args:
            candidates: N places.
            keep: share of its price below which a source is given up.
        """
        self._tick()
        inside = (candidates >= 0) & (candidates < len(self._is_source))
        inside &= self._is_source[np.where(inside, candidates, 0)] & (candidates != self.sources)
        which = np.flatnonzero(inside)
        prices = self._priced(candidates[which], which)
        better = prices < keep * self.prices[which]
        which = which[better]
        self.sources[which], self.prices[which] = candidates[inside][better], prices[better]

    def adopt(self, coarse: PatchSearch) -> None:
        """Take the sources of half the scale."""
        height, width = coarse.grid.height, coarse.grid.width
        at = coarse.grid.places(
            np.minimum(self._rows // 2, height - 1), np.minimum(self._columns // 2, width - 1)
        )
        source = coarse._spread_out()[at]
        rows, columns = coarse.grid.rows_columns(source)
        found = self.grid.places(2 * rows + self._rows % 2, 2 * columns + self._columns % 2)
        self._replace(np.where(source == _NONE, _NONE, found))

    def move(self, offsets: NDArray[np.integer]) -> None:
        """Take the sources at these offsets, H×W×2 down and right, where there are known ones."""
        down, right = offsets[self._rows, self._columns].T
        rows, columns = self._rows + down, self._columns + right
        inside = (rows >= 0) & (rows < self.grid.height)
        inside &= (columns >= 0) & (columns < self.grid.width)
        self._replace(np.where(inside, self.grid.places(rows, columns), _NONE))

    def offsets(self) -> NDArray[np.int32]:
        """H×W×2, down and right from each target to its source; 0 elsewhere."""
        rows, columns = self.grid.rows_columns(self.sources)
        result = np.zeros((self.grid.height, self.grid.width, 2), np.int32)
        steps = np.stack([rows - self._rows, columns - self._columns], axis=1)
        result[self._rows, self._columns] = steps
        return result

    def vote(self, picture: Floats) -> Floats:
        """Each missing pixel becomes the weighted mean of what the patches over it found.

        A patch counts more the less it costs and the nearer it is to the known region (Wexler,
        Shechtman and Irani, Space-Time Completion of Video, PAMI 2007).

        Args:
            picture: H×W×C, known where nothing is missing.

        Returns:
            H×W×C.
        """
        pixels = _padded(picture)
        typical = max(float(np.quantile(self.prices, 0.75)), 1e-9)
        # A patch far worse than the typical one still counts where it is alone.
        weights = np.exp(-np.minimum(self.prices / (2 * typical), 30)) * 1.3**-self.depth
        weights = weights.astype(np.float32)[:, None]
        channels = pixels.shape[1]
        sums = np.zeros((len(pixels), channels + 1), np.float32)
        given = np.empty((len(self.targets), channels + 1), np.float32)
        for shift in self.grid.shifts:
            np.multiply(pixels[self.sources + shift], weights, out=given[:, :channels])
            given[:, channels:] = weights
            sums[self.targets + shift] += given  # no place occurs twice
        self._tick()
        sums = sums.reshape(-1, self.grid.stride, channels + 1)[RADIUS:-RADIUS, RADIUS:-RADIUS]
        mean = sums[..., :channels] / np.maximum(sums[..., channels:], np.float32(1e-30))
        return np.where(self.hole[..., None], mean, picture).astype(np.float32)

    def _patches(self, pixels: Floats, centres: Integers) -> Floats:
        """N×49×C."""
        patches: Floats = pixels[centres[:, None] + self.grid.shifts]
        return patches

    def _describe(self, pixels: Floats, centres: Integers) -> Floats:
        patches = self._patches(pixels, centres)
        colors = patches[..., :3].reshape(len(centres), -1) @ self._basis
        rough = self._weight * patches[..., 3].mean(axis=1, keepdims=True)
        return np.concatenate([colors, rough], axis=1)

    def _priced(self, candidates: Integers, which: Integers) -> Floats:
        difference = self._described[candidates] - self._wanted[which]
        prices = np.einsum("ij,ij->i", difference, difference)
        if self._extra is not None:
            rows, columns = self.grid.rows_columns(candidates)
            prices = prices + self._by_offset(
                rows - self._rows[which], columns - self._columns[which]
            )
        priced: Floats = prices
        return priced

    def _by_offset(
        self, down: NDArray[np.signedinteger], right: NDArray[np.signedinteger]
    ) -> Floats:
        assert self._extra is not None
        height, width = self.grid.height, self.grid.width
        extra: Floats = self._extra[
            np.clip(down + height, 0, 2 * height), np.clip(right + width, 0, 2 * width)
        ]
        return extra

    def _among_all(self) -> None:
        """|t − s|² = |t|² + |s|² − 2 t·s for all targets and sources, a block after the other."""
        described = self._described[self.known]
        squares = np.einsum("ij,ij->i", described, described)
        turned = np.ascontiguousarray(described.T)
        rows, columns = (x.astype(np.int32) for x in self.grid.rows_columns(self.known))
        best = np.empty(len(self.targets), np.intp)
        step = max(1, _BLOCK // len(self.known))
        for start in range(0, len(self.targets), step):
            chunk = slice(start, start + step)
            prices = (-2 * self._wanted[chunk]) @ turned
            prices += squares
            if self._extra is not None:
                down = rows - self._rows[chunk, None].astype(np.int32)
                right = columns - self._columns[chunk, None].astype(np.int32)
                prices += self._by_offset(down, right)
            best[chunk] = prices.argmin(axis=1)
            self._tick()
        self.offer(self.known[best])

    def propagate(self, keep: float = 1.0) -> None:
        """Offer each target its neighbours' sources, moved by the same step."""
        for step in (1, -1, self.grid.stride, -self.grid.stride):
            beside = self._spread_out()[self.targets - step]
            self.offer(np.where(beside == _NONE, _NONE, beside + step), keep)

    def _jump(self) -> None:
        """Offer places by chance round each source, nearer and nearer."""
        reach = max(self.grid.height, self.grid.width) // 2
        for _ in range(_JUMPS):
            if reach < 1:
                return
            down, right = self._rng.integers(-reach, reach + 1, (2, len(self.targets)))
            self.offer(self.sources + down * self.grid.stride + right)
            reach //= 3

    def _spread_out(self) -> Integers:
        """The source at each place, or none."""
        places = np.full(len(self._is_source), _NONE)
        places[self.targets] = self.sources
        return places

    def _replace(self, candidates: Integers) -> None:
        inside = (candidates >= 0) & (candidates < len(self._is_source))
        inside &= self._is_source[np.where(inside, candidates, 0)]
        self.sources = np.where(inside, candidates, self.sources)


def known_patches(hole: Bools) -> Bools:
    """Centres of patches that are wholly known and lie inside the picture, H×W."""
    known: Bools = ndimage.minimum_filter(~hole, 2 * RADIUS + 1, mode="constant", cval=0)
    return known


def _components(patches: Floats) -> Floats:
    """147×23: means of the colours and principal components of the rest, from N×49×3.

    Columns are orthogonal, and so long that a squared distance of descriptions is the mean squared
    difference of patches, but for the components that are left out and the lesser weight of means.
    """
    count = patches.shape[1]
    means = np.tile(np.eye(3, dtype=np.float32), (count, 1)) / np.float32(count**0.5)
    flat = patches.reshape(len(patches), -1)
    rest = flat - (flat @ means) @ means.T
    rest -= rest.mean(axis=0)
    values, vectors = np.linalg.eigh(rest.T @ rest)
    means *= np.float32(_MEANS)
    components = vectors[:, ::-1][:, :COMPONENTS] * (values[::-1] > 1e-6 * values[-1])[:COMPONENTS]
    together = np.concatenate([means, components], axis=1) / (3 * count) ** 0.5
    basis: Floats = together.astype(np.float32)
    return basis


def _padded(picture: Floats) -> Floats:
    """Pixels of the picture padded by `RADIUS`, row by row, P×C."""
    padded = np.pad(picture, ((RADIUS, RADIUS), (RADIUS, RADIUS), (0, 0)), mode="edge")
    pixels: Floats = padded.reshape(-1, picture.shape[2]).astype(np.float32, copy=False)
    return pixels


def _some(places: Integers, most: int, rng: np.random.Generator) -> Integers:
    if len(places) <= most:
        return places
    chosen: Integers = rng.choice(places, most, replace=False)
    return chosen
