"""What a hole does to a normalisation over all pixels: RN's Figure 2 and equations (1) to (4).

Where a norm takes its mean and deviation over known and missing pixels together, the known ones
come out neither about 0 nor with a deviation of 1. Here that is measured at each norm of any
network, for a photo and a hole ("Region Normalization for Image Inpainting", section 3.1).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from regionwise.arrays import Doubles
from regionwise.errors import ModelError
from regionwise.explain import color_maps
from regionwise.explain.look import removed_after
from regionwise.explain.panel import PanelSection, Tile
from regionwise.layers.region_norm import RegionNormBasic, RegionNormLearnable

_NORMS = (
    nn.BatchNorm2d,
    nn.SyncBatchNorm,
    nn.InstanceNorm2d,
    nn.GroupNorm,
    RegionNormBasic,
    RegionNormLearnable,
)
_ENDS, _BINS = 4.0, 48
"""Of the histograms, in standard deviations."""
_FLAT = 1e-12
"""Standard deviation up to which a channel tells nothing."""
_MOST = 10
"""Layers that fit below one another."""


@dataclass(frozen=True)
class Shift:
    """One feature map of C channels under one hole.

    Attributes:
        name: of the layer.
        size: height and width.
        missing: share of its pixels that are missing, n_m / n.
        known_mean, known_std: of the known pixels, μ_3u and σ_3u, C numbers each; eq. (1).
        hole_mean, hole_std: of the missing ones, μ_3m and σ_3m; eq. (2) where a hole is white.
        mean, std: of all, μ_2 and σ_2: what a norm over all pixels takes.
        together, apart: histograms over −4 … 4 of the known pixels' values after a norm over all
            pixels and after a region norm, as shares.
        below: shares of these values under 0, which a ReLU puts out, together and apart.
    """

    name: str
    size: tuple[int, int]
    missing: float
    known_mean: Doubles
    known_std: Doubles
    hole_mean: Doubles
    hole_std: Doubles
    mean: Doubles
    std: Doubles
    together: Doubles = field(repr=False)
    apart: Doubles = field(repr=False)
    below: tuple[float, float]

    @property
    def moved(self) -> float:
        """Where a norm over all pixels puts the known mean: |·|, root mean square over channels."""
        alive = self.std > _FLAT
        return float(
            np.sqrt(np.square((self.known_mean - self.mean)[alive] / self.std[alive]).mean())
        )

    @property
    def narrowed(self) -> float:
        """The known deviation after a norm over all pixels, mean over channels; RN's is 1."""
        alive = self.std > _FLAT
        return float((self.known_std[alive] / self.std[alive]).mean())

    def predicted(self) -> tuple[Doubles, Doubles]:
        """Mean and deviation of all pixels by equations (3) and (4), from those of the regions.

        The paper's hole is flat and white; here it has a deviation of its own, which adds
        n_m/n · σ_3m² to (4).
        """
        hole, known = self.missing, 1 - self.missing
        mean = known * self.known_mean + hole * self.hole_mean
        between = hole * known * np.square(self.known_mean - self.hole_mean)
        within = known * np.square(self.known_std) + hole * np.square(self.hole_std)
        return mean, np.sqrt(within + between)


def region_shift(name: str, features: Doubles, hole: NDArray[np.bool_]) -> Shift:
    """Measure one feature map.

    Args:
        name: of the layer.
        features: C×H×W; channels that are flat everywhere don't count, but one must not be.
        hole: H×W; some pixels, but not all.
    """
    known, missing = features[:, ~hole], features[:, hole]
    mean, std = features.mean(axis=(1, 2)), features.std(axis=(1, 2))
    own_mean, own_std = known.mean(axis=1), known.std(axis=1)
    alive = std > _FLAT
    together = _normalized(known, mean, std)[alive]
    apart = _normalized(known, own_mean, own_std)[alive]
    return Shift(
        name,
        (features.shape[1], features.shape[2]),
        float(hole.mean()),
        own_mean,
        own_std,
        missing.mean(axis=1),
        missing.std(axis=1),
        mean,
        std,
        _histogram(together),
        _histogram(apart),
        (float((together < 0).mean()), float((apart < 0).mean())),
    )


@contextmanager
def recorded_shifts(network: nn.Module, mask: Tensor) -> Iterator[list[Shift]]:
    """Within this, a forward pass over ONE picture appends the shift at each of its norms.

    Measured is what a norm is given: batch, instance and group norms, region norms. Of a network
    without norms it is what each convolution gives.

    Args:
        network: any.
        mask: 1×1×H×W, 1 = missing, of the picture; resized to each layer (nearest pixel). Layers so
            small that known or missing pixels vanish are left out, and layers that are flat.

    Raises:
        ModelError: if there is neither a norm nor a convolution.
    """
    found: list[Shift] = []
    modules = list(network.named_modules())
    norms: list[tuple[str, nn.Module]] = [m for m in modules if isinstance(m[1], _NORMS)]
    layers = norms or [m for m in modules if isinstance(m[1], nn.Conv2d)]
    if not layers:
        raise ModelError(f"{type(network).__name__} has neither norms nor convolutions")

    def note(name: str, features: Tensor) -> None:
        if len(features) != 1:
            raise ModelError(f"shifts are measured for one picture, not {len(features)}")
        size = features.shape[2:]
        hole = F.interpolate(mask.float(), size=size, mode="nearest")[0, 0].cpu().numpy() > 0.5
        values = features.detach()[0].double().cpu().numpy()
        if hole.any() and not hole.all() and (values.std(axis=(1, 2)) > _FLAT).any():
            found.append(region_shift(name, values, hole))

    def before(name: str) -> Any:
        return lambda layer, inputs: note(name, inputs[0])

    def after(name: str) -> Any:
        return lambda layer, inputs, output: note(name, output)

    hooks = [
        layer.register_forward_pre_hook(before(name))
        if norms
        else layer.register_forward_hook(after(name))
        for name, layer in layers
    ]
    with removed_after(hooks):
        yield found


def measure_shifts(
    network: nn.Module, image: NDArray[np.float32], mask: NDArray[np.float32]
) -> list[Shift]:
    """The shifts of one of our networks.

    Args:
        network: with the contract `network(image, mask)`.
        image: 3×H×W in [0, 1].
        mask: 1×H×W, 1 = missing.
    """
    hole = torch.from_numpy(mask)[None]
    with torch.no_grad(), recorded_shifts(network.eval(), hole) as shifts:
        network(torch.from_numpy(image)[None], hole)
    return shifts


def shift_sections(
    photo: NDArray[np.float32], hole: NDArray[np.bool_], shifts: list[Shift]
) -> list[PanelSection]:
    """The panel's sections: Figure 2 for the photo itself, then for the layers of a network.

    Args:
        photo: 3×H×W in [0, 1], with what lies under the hole.
        hole: H×W.
        shifts: of the layers, in their order.
    """
    white = np.where(hole, 1.0, photo)
    shift = region_shift("the photo", white, hole)
    whole = photo.reshape(3, -1).astype(float)
    numbers = (
        f"mean {whole.mean():.2f}, std {whole.std(axis=1).mean():.2f} without a hole; with it "
        f"{shift.mean.mean():.2f} and {shift.std.mean():.2f}, by eqs. (3), (4) "
        f"{shift.predicted()[0].mean():.2f} and {shift.predicted()[1].mean():.2f}; of the known "
        f"pixels alone {shift.known_mean.mean():.2f} and {shift.known_std.mean():.2f}"
    )
    together = ((white.mean(axis=0) - shift.mean.mean()) / shift.std.mean()).astype(np.float64)
    apart = (white.mean(axis=0) - shift.known_mean.mean()) / shift.known_std.mean()
    first = PanelSection(
        "The photo with a white hole (Figure 2)",
        f"Channels on average: {numbers}.\nMaps: blue below 0, red above. Histograms: the known "
        "pixels' values from -4 to 4 standard deviations; blue is what a ReLU puts out.",
        [
            (
                "",
                [
                    Tile(_levels(white), "F1 with its hole"),
                    Tile(color_maps.signs(together, 2), "F2: normalised together"),
                    Tile(color_maps.signs(np.where(hole, 0, apart), 2), "F3: apart"),
                    *_histograms(shift),
                ],
            )
        ],
        height=120,
    )
    places = np.linspace(0, len(shifts) - 1, min(_MOST, len(shifts))).astype(int)
    rows = [
        (f"{one.name}, {one.size[0]}x{one.size[1]}", _histograms(one))
        for one in (shifts[place] for place in places)
    ]
    second = PanelSection(
        "The known pixels at the network's layers",
        "After a norm over all pixels (together) and one of the known region (apart).",
        rows,
        height=70,
    )
    return [first, second] if rows else [first]


def table_of(shifts: list[Shift]) -> str:
    """The shifts as lines of text, a layer each."""
    width = max([len(one.name) for one in shifts] + [5])
    head = f"{'layer':{width}}  {'size':>9}  missing   mean   std   under 0: together  apart"
    lines = [
        f"{one.name:{width}}  {one.size[0]:>4}x{one.size[1]:<4}  {one.missing:7.1%}  "
        f"{one.moved:5.2f}  {one.narrowed:4.2f}  {one.below[0]:18.0%}  {one.below[1]:5.0%}"
        for one in shifts
    ]
    return "\n".join([head, *lines])


def _normalized(values: Doubles, mean: Doubles, std: Doubles) -> Doubles:
    scaled: Doubles = (values - mean[:, None]) / np.maximum(std, 1e-12)[:, None]
    return scaled


def _histogram(values: Doubles) -> Doubles:
    counts, _ = np.histogram(np.clip(values, -_ENDS, _ENDS), _BINS, (-_ENDS, _ENDS))
    return np.asarray(counts / max(counts.sum(), 1), np.float64)


def _histograms(shift: Shift) -> list[Tile]:
    highest = max(shift.together.max(), shift.apart.max())
    return [
        Tile(
            _bars(shift.together, highest),
            f"together: mean {shift.moved:.2f}, std {shift.narrowed:.2f}; "
            f"{shift.below[0]:.0%} under 0",
        ),
        Tile(_bars(shift.apart, highest), f"apart: 0, 1; {shift.below[1]:.0%} under 0"),
    ]


def _bars(shares: Doubles, highest: float) -> NDArray[np.uint8]:
    """A histogram as a picture: blue left of 0, red right of it."""
    height, step = 140, 12
    rows = np.arange(height, 0, -1)[:, None] / height
    colors = np.full((height, _BINS * step, 3), 255, np.uint8)
    filled = np.repeat(rows <= np.maximum(shares / max(highest, 1e-12), 0), step, axis=1)
    left = np.arange(_BINS * step) < _BINS * step // 2
    colors[filled & left] = (67, 147, 195)
    colors[filled & ~left] = (214, 96, 77)
    return colors


def _levels(photo: Doubles | NDArray[np.float32]) -> NDArray[np.uint8]:
    levels: NDArray[np.uint8] = np.rint(photo.transpose(1, 2, 0) * 255).astype(np.uint8)
    return levels
