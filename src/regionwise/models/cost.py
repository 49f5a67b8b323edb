"""What a network costs: parameters, and multiply-accumulates in two ways of counting."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode
from torch.utils.hooks import RemovableHandle

from regionwise.layers.own_cost import OwnCost
from regionwise.models.registry import create_model


@dataclass(frozen=True)
class Cost:
    """Of one picture.

    Attributes:
        parameters: of the network, with nothing counted twice.
        literal: multiply-accumulates of its convolutions and its attention as the papers' equations
            have them, from the shapes of each layer's input and output.
        ours: those that are in fact computed, in the convolutions and matrix products that PyTorch
            is given; Region Normalization's sums over regions are among them.
    """

    parameters: int
    literal: int
    ours: int


@torch.no_grad()
def count_cost(name: str, size: int = 256, **options: Any) -> Cost:
    """Count a network at size×size by a forward pass over shapes alone: in a moment, no weights.

    What a hole's shape may save is not seen.

    Args:
        name, options: as of `create_model`.
        size: of the picture.
    """
    with torch.device("meta"):
        network = create_model(name, **options).eval()
        image, mask = torch.empty(1, 3, size, size), torch.empty(1, 1, size, size)
    # The counter knows no fused attention on CPUs; the plain one has the same products.
    plain = sdpa_kernel(SDPBackend.MATH)
    with plain, _LiteralCount(network) as literal, FlopCounterMode(display=False) as ours:
        network(image, mask)
    parameters = sum(parameter.numel() for parameter in network.parameters())
    return Cost(parameters, literal.total, ours.get_total_flops() // 2)


class _LiteralCount:
    """Adds up what the layers of a network cost by their equations, while it is in use."""

    def __init__(self, network: nn.Module) -> None:
        self.total = 0
        self._network = network
        self._hooks: list[RemovableHandle] = []

    def __enter__(self) -> _LiteralCount:
        for layer in self._network.modules():
            if isinstance(layer, OwnCost | nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
                self._hooks.append(layer.register_forward_hook(self._count))
        return self

    def __exit__(self, *_: object) -> None:
        for hook in self._hooks:
            hook.remove()

    def _count(self, layer: nn.Module, inputs: tuple[Any, ...], output: Any) -> None:
        self.total += _products(layer, inputs, output)


def _products(layer: nn.Module, inputs: tuple[Any, ...], output: Any) -> int:
    if isinstance(layer, OwnCost):
        return layer.multiply_accumulates(inputs, output)
    if isinstance(layer, nn.ConvTranspose2d):
        # By the input's pixels: each gives its weight to k² outputs, and no more than these exist.
        counted: Tensor = inputs[0]
    else:
        assert isinstance(layer, nn.Conv2d | nn.Linear)
        counted = output
    return counted.numel() * prod(layer.weight.shape[1:])
