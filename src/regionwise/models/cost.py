"""What a network costs: parameters, and multiply-accumulates in two ways of counting."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import prod
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from regionwise.layers.context_attention import ShortLongAttention
from regionwise.layers.contextual_attention import ContextualAttention
from regionwise.layers.mask_aware_filter import MaskAwareFilter
from regionwise.layers.pointwise_norm import PointwiseNorm
from regionwise.layers.region_conv import RegionConv
from regionwise.layers.self_attention import SelfAttention
from regionwise.layers.upsampling_conv import UpsamplingConv
from regionwise.models.madf import RefinementDecoder
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
        self._hooks: list[Any] = []

    def __enter__(self) -> _LiteralCount:
        layers = list(self._network.modules())
        # A mask-aware filter may or may not call its convolution over the mask: it counts it.
        inner = {layer.mask_conv for layer in layers if isinstance(layer, MaskAwareFilter)}
        for layer in layers:
            if layer in inner:
                continue
            for kind, products in _LITERAL.items():
                if isinstance(layer, kind):
                    self._hooks.append(layer.register_forward_hook(self._counting(products)))
        return self

    def __exit__(self, *_: object) -> None:
        for hook in self._hooks:
            hook.remove()

    def _counting(self, products: Callable[..., int]) -> Callable[..., None]:
        def count(layer: nn.Module, inputs: tuple[Any, ...], output: Any) -> None:
            self.total += products(layer, inputs, output)

        return count


def _convolution(layer: nn.Conv2d, inputs: Any, output: Tensor) -> int:
    return output.numel() * prod(layer.weight.shape[1:])


def _transposed(layer: nn.ConvTranspose2d, inputs: tuple[Tensor], output: Tensor) -> int:
    """By the input's pixels: each gives its weight to k² outputs, and no more than these exist."""
    return inputs[0].numel() * prod(layer.weight.shape[1:])


def _mask_aware(layer: MaskAwareFilter, inputs: Any, output: tuple[Tensor, Tensor]) -> int:
    """The mask's features; each window's filter, made of M others; its use: M + 1 products."""
    windows = output[0].shape[-2:].numel()
    return windows * (layer.weight.numel() + layer.mask_conv.weight.numel())


def _pointwise_norm(layer: PointwiseNorm, inputs: Any, output: Tensor) -> int:
    """The convolution to scale and bias, which the layer does not call as a module."""
    return output.shape[-2:].numel() * layer.affine.weight.numel()


def _last_pointwise(layer: RefinementDecoder, inputs: Any, output: tuple[Tensor, Any]) -> int:
    """MADF's last 1×1 convolution over everything at full size; its decoder calls no module."""
    picture, _ = output
    return picture.numel() * layer.last.in_channels


def _region_wise(layer: RegionConv, inputs: Any, output: Tensor) -> int:
    """As released: all filters everywhere, after the upsampling."""
    filters: list[int] = [weight[0].numel() for weight in layer.weights]
    return output.numel() * sum(filters)


def _attention(layer: SelfAttention, inputs: tuple[Tensor], output: Tensor) -> int:
    """Logits and weighted sum; the 1×1 convolutions count by themselves."""
    return 2 * prod(output.shape[-2:]) ** 2 * layer.output.in_channels


def _short_long_attention(layer: ShortLongAttention, inputs: tuple[Tensor, ...], _: Any) -> int:
    """Logits of the queries, and the weighted sums of both maps."""
    x = inputs[0]
    return x.shape[-2:].numel() ** 2 * (layer.query.out_channels + 2 * x.shape[1])


def _contextual_attention(
    layer: ContextualAttention, inputs: tuple[Tensor, ...], output: Tensor
) -> int:
    """Scores of patches, their two fusions by 3×3 filters as released, patches of 4×4 pasted."""
    guide = inputs[0]
    of_a_pair = guide.shape[1] * layer.patch**2 + output.shape[1] * 16 + (18 if layer.fuse else 0)
    return guide.shape[-2:].numel() ** 2 * of_a_pair


_LITERAL: dict[type[nn.Module], Callable[..., int]] = {
    ContextualAttention: _contextual_attention,
    nn.Conv2d: _convolution,
    nn.ConvTranspose2d: _transposed,
    MaskAwareFilter: _mask_aware,
    PointwiseNorm: _pointwise_norm,
    RefinementDecoder: _last_pointwise,
    RegionConv: _region_wise,
    SelfAttention: _attention,
    ShortLongAttention: _short_long_attention,
    UpsamplingConv: _convolution,
}
