"""Pictures of what a network does with a mask, after the papers' own figures."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor, nn

from regionwise.errors import ModelError
from regionwise.explain.color_maps import black_and_white
from regionwise.explain.mask_filters import (
    filter_section,
    first_filter,
    recorded_mask,
    window_filters,
)
from regionwise.explain.panel import Section, Tile, draw_panel
from regionwise.explain.region_norms import (
    encoder_tile,
    recorded_encoding,
    recorded_regions,
    region_section,
)
from regionwise.explain.shift import measure_shifts, shift_sections, table_of
from regionwise.models.prediction import compose

__all__ = ["explain", "explain_shift"]


def explain(
    network: nn.Module, image: NDArray[np.float32], mask: NDArray[np.float32], title: str = ""
) -> Image.Image:
    """Draw what a network sees and does, as a labelled panel.

    Args:
        network: RN with learnable layers: its response maps, masks, γ and β (the paper's Figures 7
            and 8). MADF: its filters by window (Figure 5).
        image: 3×H×W in [0, 1], zero where missing.
        mask: 1×H×W, 1 = missing.
        title: over the panel.

    Raises:
        ModelError: for a network that has neither.
    """
    filter_ = first_filter(network)
    picture, hole = torch.from_numpy(image)[None], torch.from_numpy(mask)[None]
    network = network.eval()
    encoded: list[NDArray[np.float32]] = []
    if filter_ is None:
        with recorded_regions(network) as layers, recorded_encoding(network) as encoded:
            stages, answer = _filled(network, picture, hole)
        if not layers:
            raise ModelError(
                "this network has neither learnable Region Normalization (RN of architecture 4, 5 "
                "or 6) nor mask-aware filters (MADF): there is no picture of it in its paper"
            )
        sections = [region_section(layers)]
    else:
        with recorded_mask(filter_) as masks:
            stages, answer = _filled(network, picture, hole)
        sections = [filter_section(window_filters(filter_, masks[0]))]
    tiles = [Tile(_pixels(picture + hole), "input"), Tile(black_and_white(mask[0] > 0.5), "hole")]
    tiles += map(encoder_tile, encoded)
    for number, stage in enumerate(stages, start=1):
        tiles.append(Tile(_pixels(stage), f"stage {number}" if len(stages) > 1 else "prediction"))
    tiles.append(Tile(_pixels(answer), "filled"))
    overview = Section(
        "What goes in and comes out", "White in the input is missing.", [("", tiles)]
    )
    return draw_panel(title, [overview, *sections])


def explain_shift(
    network: nn.Module, photo: NDArray[np.float32], mask: NDArray[np.float32], title: str = ""
) -> tuple[Image.Image, str]:
    """Draw what a hole does to norms over all pixels (RN's Figure 2), and tell it in numbers.

    Args:
        network: with the contract `network(image, mask)`; for any other see
            `regionwise.explain.shift.recorded_shifts`.
        photo: 3×H×W in [0, 1], with what lies under the hole.
        mask: 1×H×W, 1 = missing.
        title: over the panel.

    Returns:
        The panel, and a table with a line for each norm.
    """
    hole = mask[0] > 0.5
    shifts = measure_shifts(network, np.where(hole, np.float32(0), photo), mask)
    return draw_panel(title, shift_sections(photo, hole, shifts)), table_of(shifts)


@torch.no_grad()
def _filled(network: nn.Module, picture: Tensor, mask: Tensor) -> tuple[list[Tensor], Tensor]:
    prediction = network(picture, mask)
    return prediction.stages, compose(picture, mask, prediction)


def _pixels(picture: Tensor) -> NDArray[np.uint8]:
    levels = (picture[0].clamp(0, 1) * 255).round().to(torch.uint8)
    return np.asarray(levels.permute(1, 2, 0).cpu())
