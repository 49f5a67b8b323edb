"""Where a point of the hole looks: the weights of self-attention (DeepGIN, Section 3.3)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor, nn

from regionwise.explain import color_maps
from regionwise.explain.look import Question, Sections, removed_after
from regionwise.explain.panel import PanelSection, Tile
from regionwise.layers.self_attention import SelfAttention


@dataclass(frozen=True)
class AttendedPlaces:
    """How much one position takes from each other.

    Attributes:
        name: of the layer.
        stride: pixels of the picture that a position stands for, along a side.
        position: row and column of the one that is followed.
        weights: h×w, of sum 1.
    """

    name: str
    stride: int
    position: tuple[int, int]
    weights: NDArray[np.float32]


def attention_of(layer: SelfAttention, x: Tensor, position: tuple[int, int]) -> Tensor:
    """The weights of one position over all, h×w: a row of the softmax that is never held whole.

    Args:
        layer: whose weights.
        x: 1×C×h×w, what it is given.
        position: row and column.
    """
    query, key, _ = layer.embedding(x)[0].chunk(3)
    logits = torch.einsum("c,chw->hw", query[:, position[0], position[1]].float(), key.float())
    return torch.softmax(logits.flatten(), dim=0).view_as(logits)


@contextmanager
def recorded_attention(
    network: nn.Module, point: tuple[int, int], height: int
) -> Iterator[list[AttendedPlaces]]:
    """Within this, a forward pass over ONE picture appends what each attention does at a point.

    Args:
        network: any with `SelfAttention` in it.
        point: row and column in the picture.
        height: of the picture, from which a layer's stride is told.
    """
    found: list[AttendedPlaces] = []

    def note(name: str, layer: SelfAttention, x: Tensor) -> None:
        stride = 2 ** round(np.log2(max(height / x.shape[2], 1)))
        ends = x.shape[2] - 1, x.shape[3] - 1
        position = min(point[0] // stride, ends[0]), min(point[1] // stride, ends[1])
        with torch.no_grad():
            weights = attention_of(layer, x.detach(), position).cpu().numpy()
        found.append(AttendedPlaces(name, stride, position, weights))

    def hook(name: str) -> Any:
        return lambda layer, inputs: note(name, layer, inputs[0])

    hooks = [
        layer.register_forward_pre_hook(hook(name))
        for name, layer in network.named_modules()
        if isinstance(layer, SelfAttention)
    ]
    with removed_after(hooks):
        yield found


@contextmanager
def attention_look(network: nn.Module, question: Question) -> Iterator[Sections]:
    """The panel's section: the photo under the weights of each attention layer."""
    height = question.hole.shape[0]
    with recorded_attention(network, question.point, height) as layers:
        yield lambda: [_section(layers, question)] if layers else []


def _section(layers: list[AttendedPlaces], question: Question) -> PanelSection:
    row, column = question.point
    tiles = [Tile(_overlaid(one, question), f"1/{one.stride} of the size") for one in layers]
    shares = [_from_known(one, question) for one in layers]
    return PanelSection(
        f"Where the point at row {row}, column {column} looks (self-attention)",
        "Yellow: much of what the point (white) is given comes from there; violet: nothing. From "
        f"known places: {', '.join(f'{share:.0%}' for share in shares)}.",
        [("", tiles)],
        height=180,
    )


def _overlaid(one: AttendedPlaces, question: Question) -> NDArray[np.uint8]:
    """The weights as colours over the grey photo, the point marked."""
    height, width = question.hole.shape
    shown = _at_picture_size(one.weights / one.weights.max(), one.stride, height, width)
    colors = color_maps.amounts(np.sqrt(shown)).astype(np.float64)
    grey = 255 * question.image.mean(axis=0)[..., None]
    mixed: NDArray[np.uint8] = np.rint(0.65 * colors + 0.35 * grey).astype(np.uint8)
    reach = max(height // 80, 1)
    row, column = question.point
    top, left = max(row - reach, 0), max(column - reach, 0)
    mixed[top : row + reach + 1, left : column + reach + 1] = 255
    return mixed


def _from_known(one: AttendedPlaces, question: Question) -> float:
    """The share of the weights that lies on known pixels."""
    height, width = question.hole.shape
    spread = _at_picture_size(one.weights, one.stride, height, width)
    return float(spread[~question.hole].sum() / max(spread.sum(), 1e-12))


def _at_picture_size(
    weights: NDArray[np.float32], stride: int, height: int, width: int
) -> NDArray[np.float64]:
    """Each weight over the pixels that it stands for; what pads the picture is cut off."""
    size = weights.shape[1] * stride, weights.shape[0] * stride
    enlarged = Image.fromarray(weights.astype(np.float32)).resize(size, Image.Resampling.NEAREST)
    return np.asarray(enlarged, np.float64)[:height, :width]
