"""What all ways of looking into a network share."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from regionwise.explain.panel import PanelSection


@dataclass(frozen=True)
class Question:
    """What a network is asked.

    Attributes:
        image: 3×H×W in [0, 1], zero where missing.
        hole: H×W.
        point: row and column of the pixel that is followed.
    """

    image: NDArray[np.float32]
    hole: NDArray[np.bool_]
    point: tuple[int, int]


Sections = Callable[[], list[PanelSection]]
"""Gives the panel's sections, after the network has answered; none if there is nothing to see."""

Look = Callable[[nn.Module, Question], AbstractContextManager[Sections]]
"""Watches a network within the context, while it answers one question."""


@contextmanager
def removed_after(hooks: Iterable[RemovableHandle]) -> Iterator[None]:
    """Take hooks off their layers at the end of the context."""
    placed = list(hooks)
    try:
        yield
    finally:
        for hook in placed:
            hook.remove()


def deepest_point(hole: NDArray[np.bool_]) -> tuple[int, int]:
    """The pixel that lies farthest from the known ones; the middle where nothing is missing."""
    if not hole.any() or hole.all():
        return hole.shape[0] // 2, hole.shape[1] // 2
    row, column = np.unravel_index(distance_transform_edt(hole).argmax(), hole.shape)
    return int(row), int(column)


def strength(features: Tensor) -> NDArray[np.float64]:
    """How strong the first picture's features are, N×C×H×W → H×W: rms over channels."""
    values = features.detach()[0].double().square().mean(dim=0).sqrt()
    return np.asarray(values.cpu().numpy(), np.float64)


def levels(picture: Tensor) -> NDArray[np.uint8]:
    """The first picture of N×3×H×W in [0, 1] as 8 bits, H×W×3."""
    whole = (picture.detach()[0].clamp(0, 1) * 255).round().to(torch.uint8)
    return np.asarray(whole.permute(1, 2, 0).cpu().numpy())
