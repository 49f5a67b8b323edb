"""The filters that mask-aware filtering makes for its windows: MADF's Figure 5 for one mask."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from regionwise.explain import color_maps
from regionwise.explain.look import Question, Sections, removed_after
from regionwise.explain.panel import PanelSection, Tile
from regionwise.layers.mask_aware_filter import MaskAwareFilter

_WINDOWS = 8
_FILTERS = 16
"""Columns of Figure 5; a wider first level shows its first ones."""


@dataclass(frozen=True)
class WindowFilter:
    """One kind of window and the filter that the layer makes for it.

    Attributes:
        known: k×k, 1 = known; beyond the picture's border 0, as the layer pads.
        filters: Cout×Cin×k×k.
        count: windows of the picture that look like this one.
    """

    known: NDArray[np.float32]
    filters: NDArray[np.float32]
    count: int


def window_filters(
    layer: MaskAwareFilter, known: Tensor, count: int = _WINDOWS
) -> list[WindowFilter]:
    """The filters for windows of a mask that differ as much as possible.

    The fully known window comes first if there is one; each next one is farthest, in pixels that
    differ, from those before.

    Args:
        layer: the first of its network: its mask features are the mask itself.
        known: 1×C×H×W as the layer is given it, all channels equal, 1 = known.
        count: at most so many.
    """
    size = layer.mask_conv.kernel_size[0]
    patches = F.unfold(known[:, :1], size, padding=layer.padding, stride=layer.stride)[0].T
    kinds, counts = torch.unique(patches, dim=0, return_counts=True)
    order = [int(kinds.sum(dim=1).argmax())]
    distance = (kinds - kinds[order[0]]).abs().sum(dim=1)
    while len(order) < min(count, len(kinds)):
        order.append(int(distance.argmax()))
        distance = torch.minimum(distance, (kinds - kinds[order[-1]]).abs().sum(dim=1))
    chosen = kinds[order].view(-1, 1, size, size)
    with torch.no_grad():
        mask = chosen.expand(-1, layer.mask_conv.in_channels, -1, -1)
        features = F.relu(F.conv2d(mask, layer.mask_conv.weight, layer.mask_conv.bias))
        filters = layer.filters(features.flatten(1))
    return [
        WindowFilter(kind.numpy(), filter_.numpy(), alike)
        for kind, filter_, alike in zip(chosen[:, 0], filters, counts[order].tolist(), strict=True)
    ]


def first_filter(network: nn.Module) -> MaskAwareFilter | None:
    """The layer that sees the mask itself, if the network has one."""
    found = (layer for layer in network.modules() if isinstance(layer, MaskAwareFilter))
    return next(found, None)


@contextmanager
def window_filter_look(network: nn.Module, question: Question) -> Iterator[Sections]:
    """The panel's section of MADF's Figure 5; nothing of a network without such filters."""
    layer = first_filter(network)
    if layer is None:
        yield list
        return
    with recorded_mask(layer) as masks:
        yield lambda: [filter_section(window_filters(layer, masks[0]))]


@contextmanager
def recorded_mask(layer: MaskAwareFilter) -> Iterator[list[Tensor]]:
    """Within this, each pass through the layer appends the mask that it was given."""
    seen: list[Tensor] = []
    hook = layer.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[1].cpu().float()))
    with removed_after([hook]):
        yield seen


def filter_section(windows: list[WindowFilter]) -> PanelSection:
    """The panel's section: a row for each window, a column for each output channel (Figure 5)."""
    outputs = min(_FILTERS, len(windows[0].filters))
    side = windows[0].known.shape[0]
    # A filter's sum over red, green and blue: what it does to a grey picture.
    grey = [window.filters[:outputs, :3].sum(axis=1) for window in windows]
    largest = [max(float(np.abs(filters[k]).max()) for filters in grey) for k in range(outputs)]
    rows = [
        (
            f"{window.count:,}",
            [
                Tile(color_maps.black_and_white(window.known > 0.5)),
                *(Tile(color_maps.signs(f, m)) for f, m in zip(filters, largest, strict=True)),
            ],
        )
        for window, filters in zip(windows, grey, strict=True)
    ]
    return PanelSection(
        f"The filters of the first level, {side} x {side}, for windows of this mask (Figure 5)",
        "Each row is a window: how many of the picture's look so, its mask (black = missing, "
        "or beyond the border),\nthen the filter made for it for each output channel, summed "
        "over red, green and blue: blue below 0, red above.\nEach column has one scale. Where "
        "its filters differ, the mask chose them.",
        rows,
        ["mask", *(str(k + 1) for k in range(outputs))],
        height=70,
    )
