"""Pictures of what a network does with a mask, after the papers' own figures."""

from __future__ import annotations

from contextlib import ExitStack

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor, nn

from regionwise.explain import color_maps
from regionwise.explain.attention import attention_look
from regionwise.explain.back_projections import projection_look
from regionwise.explain.color_maps import black_and_white
from regionwise.explain.decoders import decoder_look
from regionwise.explain.look import Look, Question, deepest_point, levels
from regionwise.explain.mask_filters import window_filter_look
from regionwise.explain.panel import PanelSection, Tile, draw_panel
from regionwise.explain.region_convs import filter_look
from regionwise.explain.region_norms import encoder_tile, recorded_encoding, region_look
from regionwise.explain.shift import measure_shifts, shift_sections, table_of
from regionwise.models.prediction import Prediction, compose

__all__ = ["explain", "explain_shift"]

_LOOKS: tuple[Look, ...] = (
    region_look,
    window_filter_look,
    decoder_look,
    attention_look,
    projection_look,
    filter_look,
)
"""In the order of the panel; each has nothing to show of a network without its layers."""


def explain(
    network: nn.Module,
    image: NDArray[np.float32],
    mask: NDArray[np.float32],
    title: str = "",
    point: tuple[int, int] | None = None,
) -> Image.Image:
    """Draw what a network sees and does, as a labelled panel.

    Of every network its stages and what each of them changed. Besides: RN with learnable layers:
    its response maps, masks, γ and β (the paper's Figures 7 and 8). MADF: its filters by window
    (Figure 5), and its decoders' features. DeepGIN: where a point looks, and what back projection
    adds. The region-wise networks: which filter works where.

    Args:
        network: with the contract `network(image, mask)` → `Prediction`.
        image: 3×H×W in [0, 1], zero where missing.
        mask: 1×H×W, 1 = missing.
        title: over the panel.
        point: row and column of the pixel that attention is shown of; the one deepest in the hole
            if not given.
    """
    hole = mask[0] > 0.5
    question = Question(image, hole, point or deepest_point(hole))
    picture, seen = torch.from_numpy(image)[None], torch.from_numpy(mask)[None]
    network = network.eval()
    with ExitStack() as watching, torch.no_grad():
        looks = [watching.enter_context(look(network, question)) for look in _LOOKS]
        encoded = watching.enter_context(recorded_encoding(network))
        prediction: Prediction = network(picture, seen)
    tiles = [Tile(levels(picture + seen), "input"), Tile(black_and_white(hole), "hole")]
    tiles += map(encoder_tile, encoded)
    tiles += _answers(prediction)
    tiles.append(Tile(levels(compose(picture, seen, prediction)), "filled"))
    note = "White in the input is missing."
    if len(prediction.stages) > 1:
        note += " Change: what a stage made lighter (red) or darker (blue), each on its own scale."
    overview = PanelSection("What goes in and comes out", note, [("", tiles)])
    return draw_panel(title, [overview, *(section for look in looks for section in look())])


def _answers(prediction: Prediction) -> list[Tile]:
    """The low resolution and the guide where there is one, the stages, and what each changed."""
    tiles = []
    if prediction.guide is not None:
        tiles.append(Tile(levels(prediction.guide.expand(-1, 3, -1, -1)), "guide"))
    if prediction.low_resolution is not None:
        tiles.append(Tile(levels(prediction.low_resolution), "low resolution"))
    many = len(prediction.stages) > 1
    before: Tensor | None = None
    for number, stage in enumerate(prediction.stages):
        tiles.append(Tile(levels(stage), f"stage {number}" if many else "prediction"))
        if before is not None:
            change = np.asarray((stage - before)[0].mean(dim=0).cpu().numpy(), np.float64)
            largest = float(np.abs(change).max())
            tiles.append(Tile(color_maps.signs(change, largest), f"change, up to {largest:.2f}"))
        before = stage
    return tiles


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
