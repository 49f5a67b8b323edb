"""What Region Normalization's learnable layers see: the paper's Figures 7 and 8 for one photo."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn

from regionwise.explain import color_maps
from regionwise.explain.look import Question, Sections, removed_after
from regionwise.explain.panel import PanelSection, Tile
from regionwise.layers.region_norm import RegionNormLearnable

THRESHOLDS = (0.5, 0.6, 0.7, 0.8, 0.9)
"""Of Figure 7 and Table 4."""

_FIGURE_8 = ("R6RN1", "R7RN1", "R7RN2", "R8RN2")
_MOST = 7
"""Layers that fit beside one another."""


@dataclass(frozen=True)
class LearnedRegions:
    """What one RN-L layer made of one picture; all maps H×W of the layer's own size.

    Attributes:
        name: as in the paper: R6RN1 is the first RN-L of the sixth residual block; D1 that of the
            decoder's first level, E1 of the encoder's.
        response: eq. (14), in (0, 1).
        threshold: t of eq. (15); the region is where the response reaches it.
        gamma, beta: eq. (16).
    """

    name: str
    response: NDArray[np.float32]
    threshold: float
    gamma: NDArray[np.float32]
    beta: NDArray[np.float32]

    def region(self, threshold: float | None = None) -> NDArray[np.bool_]:
        """The generated mask, at the layer's own threshold or another."""
        return self.response >= (self.threshold if threshold is None else threshold)


@contextmanager
def recorded_regions(network: nn.Module) -> Iterator[list[LearnedRegions]]:
    """Within this, a forward pass over ONE picture fills the list, layer by layer."""
    found: list[LearnedRegions] = []

    def record(name: str, layer: RegionNormLearnable, inputs: tuple[Any, ...]) -> None:
        response = layer.spatial_response(inputs[0])
        gamma, beta = layer.affine(response).split(1, dim=1)
        maps = (_map(response), layer.threshold, _map(gamma), _map(beta))
        found.append(LearnedRegions(_paper_name(name), *maps))

    hooks = [
        layer.register_forward_pre_hook(
            lambda layer, inputs, name=name: record(name, layer, inputs)
        )
        for name, layer in network.named_modules()
        if isinstance(layer, RegionNormLearnable)
    ]
    with removed_after(hooks):
        yield found


@contextmanager
def region_look(network: nn.Module, question: Question) -> Iterator[Sections]:
    """The panel's section of RN's Figures 7 and 8; nothing of a network without RN-L."""
    with recorded_regions(network) as layers:
        yield lambda: [region_section(layers)] if layers else []


@contextmanager
def recorded_encoding(network: nn.Module) -> Iterator[list[NDArray[np.float32]]]:
    """Within this, a forward pass appends what RN's encoder hands on, C×H×W."""
    found: list[NDArray[np.float32]] = []
    middle = getattr(network, "middle", None)
    if not isinstance(middle, nn.ModuleList):
        yield found
        return
    hook = middle[0].register_forward_pre_hook(
        lambda _, inputs: found.append(inputs[0][0].float().cpu().numpy())
    )
    with removed_after([hook]):
        yield found


def region_section(layers: list[LearnedRegions]) -> PanelSection:
    """The panel's section: layers beside one another, their maps and masks below one another.

    Figure 8's rows along the network, and Figure 7's thresholds for each of its layers.
    """
    shown = _chosen(layers)
    thresholds = sorted({*THRESHOLDS, *(layer.threshold for layer in shown)})
    responses = [Tile(color_maps.amounts(x.response), _range(x.response)) for x in shown]
    masks = [(f"mask, t = {t:g}", [_mask_tile(x, t) for x in shown]) for t in thresholds]
    return PanelSection(
        "What the learnable layers (RN-L) see, along the network (Figures 7 and 8)",
        "R7RN2 is the second RN-L of residual block 7, D1 the decoder's first. Response: violet 0, "
        "yellow 1. Mask: white where the response reaches t; the layers\n"
        f"work with t = {', '.join(f'{t:g}' for t in sorted({x.threshold for x in shown}))}. "
        "Gamma and beta: blue below 0, white 0, red above; each map has a scale of its own. "
        "Under each map its range or share.",
        [
            ("response", responses),
            *masks,
            ("gamma", [_sign_tile(x.gamma) for x in shown]),
            ("beta", [_sign_tile(x.beta) for x in shown]),
        ],
        [x.name for x in shown],
        height=120,
    )


def encoder_tile(encoded: NDArray[np.float32]) -> Tile:
    """The strength of features C×H×W: their root mean square over channels."""
    return Tile(color_maps.grey(np.sqrt(np.square(encoded).mean(axis=0))), "encoder's result")


def _chosen(layers: list[LearnedRegions]) -> list[LearnedRegions]:
    """The paper's and the decoder's, or where a network has others, some spread evenly."""
    papers = [layer for layer in layers if layer.name in _FIGURE_8]
    chosen = papers + [layer for layer in layers if layer.name.startswith("D")]
    if papers and len(chosen) <= _MOST:
        return chosen
    places = np.linspace(0, len(layers) - 1, min(_MOST, len(layers))).round().astype(int)
    return [layers[place] for place in places]


def _paper_name(module: str) -> str:
    """`middle.5.norm1` → R6RN1; other modules keep their name."""
    if block := re.fullmatch(r"middle\.(\d+)\.norm(\d)", module):
        return f"R{int(block[1]) + 1}RN{block[2]}"
    if level := re.fullmatch(r"(decoder|encoder)_norms\.(\d+)", module):
        return f"{level[1][0].upper()}{int(level[2]) + 1}"
    return module


def _map(x: Tensor) -> NDArray[np.float32]:
    if len(x) != 1:
        raise ValueError(f"regions are recorded for one picture at a time, not {len(x)}")
    return np.asarray(x.detach()[0, 0].float().cpu().numpy(), np.float32)


def _mask_tile(layer: LearnedRegions, threshold: float) -> Tile:
    region = layer.region(threshold)
    return Tile(color_maps.black_and_white(region), f"{region.mean():.0%}")


def _sign_tile(values: NDArray[np.float32]) -> Tile:
    return Tile(color_maps.signs(values, float(np.abs(values).max())), _range(values))


def _range(values: NDArray[np.float32]) -> str:
    return f"{values.min():.2f} to {values.max():.2f}"
