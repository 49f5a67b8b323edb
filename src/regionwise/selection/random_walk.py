"""Select a thing without a network: colour models of thing and surroundings, and a random walker.

Rother et al., GrabCut (SIGGRAPH 2004) learn two colour models by turns with a cut. In place of the
cut stands the random walker with priors of Grady (CVPR 2005, equation 12): one linear system, whose
solution is each pixel's probability to be of the thing, so that the outline can be read off at a
finer scale. A click begins with the region that the smallest climb over edges leads to (a geodesic
distance), a box with what lies in it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from regionwise.arrays import Floats, Mask, Pixels
from regionwise.photos.raster import to_eight_bits
from regionwise.selection.prompt import Prompt

_SIDE = 200
"""Pixels of the longer side at which the thing is looked for."""
_BLUR = 1.0
"""Pixels of a Gaussian before: grain and fine texture are no borders."""
_ROUNDS = 4
_COLORS = 6
"""Gaussians in a colour model."""
_PRIOR = 0.02
"""Weight of the colour models against the smoothness of the outline."""
_REACH = 1.0
"""How far beyond the region's border the thing may go on, in units of that border's distance."""
_MARGIN = 0.35
"""Of a box's sides, that is looked at round it."""


class RandomWalkSegmenter:
    """The classical way, with nothing to download."""

    def select(self, color: Pixels, prompt: Prompt) -> Mask:
        """Select, see `regionwise.selection.prompt.Segmenter`."""
        height, width = color.shape[:2]
        prompt.check(height, width)
        left, top, right, bottom = _part(prompt, height, width)
        part = np.ascontiguousarray(to_eight_bits(color[top:bottom, left:right]))
        image, scale = _small(part)
        seeds = _seeds(prompt, image.shape[:2], left, top, scale)
        share = _walked(image, seeds, boxed=prompt.box is not None)
        selected = np.zeros((height, width), bool)
        selected[top:bottom, left:right] = _enlarged(share, part)
        return touched(selected, prompt)


def _part(prompt: Prompt, height: int, width: int) -> tuple[int, int, int, int]:
    """The part of the photo that is looked at: left, top, right, bottom."""
    if prompt.box is None:
        return 0, 0, width, height
    x, y, across, down = prompt.box
    aside, above = int(_MARGIN * across) + 2, int(_MARGIN * down) + 2
    return (
        max(0, x - aside), max(0, y - above),
        min(width, x + across + aside), min(height, y + down + above),
    )  # fmt: skip


def _small(part: Pixels) -> tuple[Floats, float]:
    """The part at the scale of the search, in Lab divided by 100, and that scale."""
    height, width = part.shape[:2]
    scale = min(1.0, _SIDE / max(height, width))
    size = max(2, round(width * scale)), max(2, round(height * scale))
    small = Image.fromarray(part).resize(size, Image.Resampling.BOX if scale < 1 else None)
    return _lab(np.asarray(small)), scale


def _lab(rgb: Pixels) -> Floats:
    """CIE L*a*b* / 100 of sRGB, D65."""
    linear = np.asarray(rgb, np.float32) / 255
    linear = np.where(linear > 0.04045, ((linear + 0.055) / 1.055) ** 2.4, linear / 12.92)
    matrix = np.array(
        [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]], np.float32
    )
    xyz = linear @ matrix.T / np.array([0.9505, 1.0, 1.089], np.float32)
    f = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    lab = np.stack(
        [116 * f[..., 1] - 16, 500 * (f[..., 0] - f[..., 1]), 200 * (f[..., 1] - f[..., 2])], axis=2
    )
    return np.asarray(lab / 100, np.float32)


def _seeds(
    prompt: Prompt, shape: tuple[int, ...], left: int, top: int, scale: float
) -> NDArray[np.int8]:
    """1 where the thing is for sure, -1 where it is not, else 0."""
    seeds = np.zeros(shape, np.int8)
    if prompt.box is not None:
        x, y, across, down = prompt.box
        outside = np.ones(shape, bool)
        rows, columns = (
            slice(round((start - first) * scale), round((start - first + extent) * scale))
            for start, first, extent in ((max(y, top), top, down), (max(x, left), left, across))
        )
        outside[rows, columns] = False
        seeds[outside] = -1
    for value, points in ((-1, prompt.outside), (1, prompt.inside)):
        for x, y in points:
            row = min(shape[0] - 1, max(0, int((y - top) * scale)))
            column = min(shape[1] - 1, max(0, int((x - left) * scale)))
            seeds[max(0, row - 1) : row + 2, max(0, column - 1) : column + 2] = value
    return seeds


def _walked(image: Floats, seeds: NDArray[np.int8], *, boxed: bool) -> Floats:
    """Each pixel's probability to be of the thing."""
    from scipy.ndimage import gaussian_filter

    image = np.asarray(gaussian_filter(image, (_BLUR, _BLUR, 0)), np.float32)
    graph = _Graph(image)
    if boxed and not (seeds > 0).any():
        thing, nearness = np.asarray(seeds >= 0), np.ones(seeds.shape, np.float32)
    else:
        thing, nearness = _near(graph, seeds)
    share = thing.astype(np.float32)
    for _ in range(_ROUNDS):
        prior = _likelihood(image, share > 0.5, seeds) * nearness
        fresh = graph.solve(prior, seeds)
        if np.abs(fresh - share).mean() < 1e-3:
            return fresh
        share = fresh
    return share


class _Graph:
    """The pixels' 8-neighbourhood; what is alike is bound more strongly."""

    def __init__(self, image: Floats) -> None:
        rows, columns = image.shape[:2]
        index = np.arange(rows * columns).reshape(rows, columns)
        pairs, differences, lengths = [], [], []
        for down, right in ((0, 1), (1, 0), (1, 1), (1, -1)):
            one = index[: rows - down, max(0, -right) : columns - max(0, right)]
            other = index[down:, max(0, right) : columns + min(0, right)]
            pairs.append((one.ravel(), other.ravel()))
            flat = image.reshape(-1, 3)
            difference = ((flat[one.ravel()] - flat[other.ravel()]) ** 2).sum(axis=1)
            differences.append(difference)
            lengths.append(np.full(one.size, np.hypot(down, right), np.float32))
        self.shape = rows, columns
        self.one = np.concatenate([pair[0] for pair in pairs])
        self.other = np.concatenate([pair[1] for pair in pairs])
        self.difference = np.concatenate(differences)
        self.length = np.concatenate(lengths)
        contrast = 2 * float(self.difference.mean()) + 1e-6
        self.weight = (np.exp(-self.difference / contrast * 2) + 1e-3) / self.length

    def solve(self, prior: Floats, seeds: NDArray[np.int8]) -> Floats:
        """The random walker with priors: (L + γI + s) x = γ prior + s seed."""
        from scipy.sparse import coo_matrix, diags
        from scipy.sparse.linalg import cg

        count = prior.size
        weights = coo_matrix((self.weight, (self.one, self.other)), shape=(count, count)).tocsr()
        weights = weights + weights.T
        degree = np.asarray(weights.sum(axis=1)).ravel()
        hold = 10.0 * (seeds.ravel() != 0)
        diagonal = degree + _PRIOR + hold
        system = diags(diagonal) - weights
        right = _PRIOR * prior.ravel() + hold * (seeds.ravel() > 0)
        solution, _ = cg(
            system, right, x0=prior.ravel(), rtol=1e-3, maxiter=200, M=diags(1 / diagonal)
        )
        return np.asarray(np.clip(solution, 0, 1), np.float32).reshape(self.shape)

    def distance(self, sources: NDArray[np.intp]) -> Floats:
        """To the nearest source, over edges that cost what colours differ."""
        from scipy.sparse import coo_matrix
        from scipy.sparse.csgraph import dijkstra

        count = self.shape[0] * self.shape[1]
        cost = (np.sqrt(self.difference) + 2e-3) * self.length
        graph = coo_matrix((cost, (self.one, self.other)), shape=(count, count)).tocsr()
        far = dijkstra(graph, directed=False, indices=sources, min_only=True)
        return np.asarray(far, np.float32).reshape(self.shape)


def _near(graph: _Graph, seeds: NDArray[np.int8]) -> tuple[Mask, Floats]:
    """The region round the seeds whose border is the strongest edge on the way out.

    Returns:
        The region, and how near each pixel is to it, 1 in it, falling to 0 beyond.
    """
    inside = graph.distance(np.flatnonzero(seeds > 0))
    if (seeds < 0).any():
        inside = np.where(inside < graph.distance(np.flatnonzero(seeds < 0)), inside, np.inf)
    finite = inside[np.isfinite(inside)]
    best, chosen = -1.0, float(np.quantile(finite, 0.1))
    flat = inside.ravel()
    for share in np.geomspace(0.004, 0.6, 24):
        level = float(np.quantile(finite, share))
        region = flat <= level
        border = region[graph.one] != region[graph.other]
        if not border.any():
            continue
        contrast = float(np.sqrt(graph.difference[border]).mean())
        if contrast > best:
            best, chosen = contrast, level
    reach = np.maximum(inside - chosen, 0) / (_REACH * chosen + 1e-6)
    return inside <= chosen, np.asarray(np.clip(1 - reach, 0, 1), np.float32)


def _likelihood(image: Floats, thing: Mask, seeds: NDArray[np.int8]) -> Floats:
    """Each pixel's probability by its colour alone."""
    thing = (thing | (seeds > 0)) & (seeds >= 0)
    colors = image.reshape(-1, 3)
    densities = [
        _density(colors, colors[member.ravel()]) if member.any() else np.zeros(len(colors))
        for member in (thing, ~thing)
    ]
    total = densities[0] + densities[1] + 1e-12
    return np.asarray(densities[0] / total, np.float32).reshape(image.shape[:2])


def _density(colors: Floats, sample: Floats) -> NDArray[np.float64]:
    """Of colours, under Gaussians round the clusters of a sample."""
    count = min(_COLORS, max(1, len(sample) // 8))
    step = max(1, len(sample) // 4000)
    chosen = sample[::step].astype(np.float64)
    labels = _clusters(chosen, count)
    density = np.zeros(len(colors))
    for number in range(count):
        member = chosen[labels == number]
        if len(member) < 2:
            continue
        covariance = np.cov(member.T) + 2e-4 * np.eye(3)
        offset = colors - member.mean(axis=0)
        exponent = np.einsum("ni,ij,nj->n", offset, np.linalg.inv(covariance), offset)
        scale = len(member) / len(chosen) / np.sqrt(np.linalg.det(covariance))
        density += scale * np.exp(-0.5 * exponent)
    return density


def _clusters(colors: NDArray[np.float64], count: int) -> NDArray[np.intp]:
    """The number of each colour's cluster, by Lloyd's algorithm from centres spread over light."""
    order = np.argsort(colors[:, 0], kind="stable")
    centers = colors[order[np.linspace(0, len(order) - 1, count).round().astype(np.intp)]]
    labels = np.zeros(len(colors), np.intp)
    for _ in range(8):
        labels = ((colors[:, None] - centers) ** 2).sum(axis=2).argmin(axis=1)
        for number in np.unique(labels):
            centers[number] = colors[labels == number].mean(axis=0)
    return labels


def _enlarged(share: Floats, part: Pixels) -> Mask:
    """The probability at the part's own scale, cut at a half."""
    height, width = part.shape[:2]
    if share.shape == (height, width):
        return np.asarray(share > 0.5)
    large = Image.fromarray(share).resize((width, height), Image.Resampling.BICUBIC)
    return np.asarray(np.asarray(large) > 0.5)


def touched(selected: Mask, prompt: Prompt) -> Mask:
    """The pieces that a point lies on, or of a box all that are not tiny; without holes.

    A hole with a point beside the thing in it stays.
    """
    from scipy.ndimage import binary_fill_holes, label

    labels, count = label(selected)
    if not count:
        return selected
    sizes = np.bincount(labels.ravel())
    sizes[0] = 0
    if prompt.inside:
        kept = {int(labels[y, x]) for x, y in prompt.inside} - {0}
    else:
        kept = set(np.flatnonzero(sizes >= 0.1 * sizes.max()).tolist())
    pieces = np.isin(labels, list(kept))
    holes, _ = label(binary_fill_holes(pieces) & ~pieces)
    beside = {int(holes[y, x]) for x, y in prompt.outside}
    return np.asarray(pieces | ((holes > 0) & ~np.isin(holes, list(beside))))
