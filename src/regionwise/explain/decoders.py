"""What MADF's decoders make, level by level (Figure 2)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn

from regionwise.explain import color_maps
from regionwise.explain.look import Question, Sections, removed_after, strength
from regionwise.explain.panel import PanelSection, Tile
from regionwise.models.madf.network import CascadedRefinementGenerator

Levels = list[NDArray[np.float64]]
"""The strength of a decoder's features at each level, coarse first, H×W each."""


@contextmanager
def recorded_decoders(network: CascadedRefinementGenerator) -> Iterator[dict[str, Levels]]:
    """Within this, a forward pass over ONE picture fills the levels of each decoder, by name."""
    found: dict[str, Levels] = {}

    def hook(name: str) -> Any:
        def note(step: nn.Module, inputs: tuple[Any, ...], output: Tensor) -> None:
            found.setdefault(name, []).append(strength(output))

        return note

    decoders = {"recovery": network.recovery}
    for number, decoder in enumerate(network.refinements, start=1):
        assert isinstance(decoder.steps, nn.ModuleList)
        decoders[f"refinement {number}"] = decoder.steps
    hooks = [
        step.register_forward_hook(hook(name)) for name, steps in decoders.items() for step in steps
    ]
    with removed_after(hooks):
        yield found


@contextmanager
def decoder_look(network: nn.Module, question: Question) -> Iterator[Sections]:
    """The panel's section: a row for each decoder, a column for each level."""
    if not isinstance(network, CascadedRefinementGenerator):
        yield list
        return
    with recorded_decoders(network) as decoders:
        yield lambda: [_section(decoders, network.stride, question)]


def _section(decoders: dict[str, Levels], stride: int, question: Question) -> PanelSection:
    height, width = question.hole.shape

    def tile(features: NDArray[np.float64]) -> Tile:
        scale = -(-height // stride) * stride // features.shape[0]
        cut = features[: -(-height // scale), : -(-width // scale)]
        return Tile(color_maps.grey(cut), f"{cut.shape[0]}x{cut.shape[1]}, {cut.mean():.2f}")

    return PanelSection(
        "What each decoder makes at its levels (Figure 2)",
        "The strength of the features (root mean square over channels), each on its own scale: "
        "black least, white most; under it size and mean.",
        [(name, [tile(one) for one in features]) for name, features in decoders.items()],
        height=120,
    )
