"""What DeepGIN's back projection adds, and where: its low-resolution picture and learnt weight."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from regionwise.explain import color_maps
from regionwise.explain.look import Question, Sections, levels, removed_after
from regionwise.explain.panel import PanelSection, Tile
from regionwise.layers.back_projection import BackProjection
from regionwise.layers.bilinear import resized


@dataclass(frozen=True)
class Projected:
    """One back projection of one picture, padded as the network works on it.

    Attributes:
        before: 1×3×H×W.
        low_resolution: 1×3×h×w.
        weight: 1×1×H×W in (0, 1), what share of the residual is added.
        residual: 1×3×H×W, low resolution less the picture at its size, enlarged.
    """

    before: Tensor
    low_resolution: Tensor
    weight: Tensor
    residual: Tensor


@contextmanager
def recorded_projections(network: nn.Module) -> Iterator[list[Projected]]:
    """Within this, a forward pass over ONE picture appends what back projection did."""
    found: list[Projected] = []

    @torch.no_grad()
    def note(layer: BackProjection, inputs: tuple[Any, ...]) -> None:
        picture, low, features = (one.detach() for one in inputs)
        residual = resized(low - resized(picture, low), picture)
        found.append(Projected(picture, low, torch.sigmoid(layer.weight(features)), residual))

    hooks = [
        layer.register_forward_pre_hook(note)
        for layer in network.modules()
        if isinstance(layer, BackProjection)
    ]
    with removed_after(hooks):
        yield found


@contextmanager
def projection_look(network: nn.Module, question: Question) -> Iterator[Sections]:
    """The panel's section: picture before, low resolution, weight, residual and what is added."""
    with recorded_projections(network) as found:
        yield lambda: [_section(found[0], question)] if found else []


def _section(one: Projected, question: Question) -> PanelSection:
    height, width = question.hole.shape

    def cut(x: Tensor) -> Tensor:
        return x[..., :height, :width]

    low = one.low_resolution[..., : -(-height // 4), : -(-width // 4)]
    weight = np.asarray(cut(one.weight)[0, 0].cpu().numpy(), np.float64)
    residual = np.asarray(cut(one.residual)[0].mean(dim=0).cpu().numpy(), np.float64)
    added = weight * residual
    largest = max(float(np.abs(residual).max()), 1e-6)
    tiles = [
        Tile(levels(cut(one.before)), "before"),
        Tile(levels(low), "low resolution"),
        Tile(color_maps.amounts(weight), f"weight, {weight.min():.2f} to {weight.max():.2f}"),
        Tile(color_maps.signs(residual, largest), f"residual, up to {largest:.3f}"),
        Tile(color_maps.signs(added, largest), f"added, up to {np.abs(added).max():.3f}"),
    ]
    return PanelSection(
        "Back projection (Figure 2): the picture is brought into line with its low resolution",
        "Weight: violet 0, yellow 1. Residual and what is added of it: blue darker, red lighter, "
        "one scale.",
        [("", tiles)],
    )
