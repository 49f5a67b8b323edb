"""Which filter works where: the parts of a region-wise convolution's answer (Ma et al. 2019)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from regionwise.explain import color_maps
from regionwise.explain.look import Question, Sections, removed_after, strength
from regionwise.explain.panel import PanelSection, Tile
from regionwise.layers.region_conv import RegionConv, region_conv


@dataclass(frozen=True)
class FilterShares:
    """What each region's filter gives to the answer of one layer.

    Attributes:
        name: of the layer.
        parts: for each region the strength of its filter's part, H×W: rms over channels.
    """

    name: str
    parts: tuple[NDArray[np.float64], ...]

    def share(self, region: int) -> NDArray[np.float64]:
        """The region's part among all, in [0, 1], H×W; 0 where no filter gives anything."""
        return self.parts[region] / np.maximum(sum(self.parts), 1e-12)


def filter_parts(layer: RegionConv, maps: Sequence[Tensor], regions: Tensor) -> list[Tensor]:
    """The answer of a layer without its bias, taken apart: for each region N×Cout×H×W.

    Their sum and the bias are the answer.
    """
    return [
        region_conv(
            [
                map_ if number == region else torch.zeros_like(map_)
                for number, map_ in enumerate(maps)
            ],
            regions,
            list(layer.weights),
            torch.zeros_like(layer.bias),
            reading=layer.reading,
            upsample=layer.upsample,
        )
        for region in range(len(maps))
    ]


@contextmanager
def recorded_filters(network: nn.Module) -> Iterator[list[FilterShares]]:
    """Within this, a forward pass over ONE picture appends each region-wise layer's parts."""
    found: list[FilterShares] = []

    @torch.no_grad()
    def note(name: str, layer: RegionConv, inputs: tuple[Any, ...]) -> None:
        parts = filter_parts(layer, [one.detach() for one in inputs[0]], inputs[1])
        found.append(FilterShares(name, tuple(map(strength, parts))))

    def hook(name: str) -> Any:
        return lambda layer, inputs: note(name, layer, inputs)

    hooks = [
        layer.register_forward_pre_hook(hook(name))
        for name, layer in network.named_modules()
        if isinstance(layer, RegionConv)
    ]
    with removed_after(hooks):
        yield found


@contextmanager
def filter_look(network: nn.Module, question: Question) -> Iterator[Sections]:
    """The panel's section: for each layer the known region's part, the hole's, and its share."""
    with recorded_filters(network) as layers:
        yield lambda: [_section(layers)] if layers else []


def _section(layers: list[FilterShares]) -> PanelSection:
    rows = []
    for one in layers:
        known, hole = one.parts
        largest = max(known.max(), hole.max(), 1e-12)
        height, width = known.shape
        tiles = [
            Tile(color_maps.amounts(known / largest), f"up to {known.max():.2f}"),
            Tile(color_maps.amounts(hole / largest), f"up to {hole.max():.2f}"),
            Tile(color_maps.amounts(one.share(1)), f"mean {one.share(1).mean():.0%}"),
        ]
        rows.append((f"{one.name}, {height}x{width}", tiles))
    return PanelSection(
        "Which filter works where (region-wise convolutions)",
        "How strong the part of each region's filter is in a layer's answer, on one scale: violet "
        "0, yellow most;\nthen the hole's filter's share. At the border both give something.",
        rows,
        ["known region's filter", "hole's filter", "share of the hole's"],
        height=120,
    )
