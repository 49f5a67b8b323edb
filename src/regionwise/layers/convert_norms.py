"""Region norms put into a network of your own, in place of its batch, instance and group norms.

After Table 6 of "Region Normalization for Image Inpainting" (Yu et al., AAAI 2020), where RN goes
into networks that were designed without it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, TypeVar

import torch
from torch import Tensor, nn

from regionwise.errors import ModelError
from regionwise.layers.region_norm import RegionNormBasic, RegionNormLearnable, Statistics

Kind = Literal["basic", "learnable", "keep"]
Network = TypeVar("Network", bound=nn.Module)

PlainNorms = nn.BatchNorm2d | nn.SyncBatchNorm | nn.InstanceNorm2d | nn.GroupNorm
"""The layers that are replaced."""


def convert_norms(
    network: Network,
    kind: Callable[[str, nn.Module], Kind] = lambda name, norm: "basic",
    *,
    statistics: Statistics | None = None,
    threshold: float = 0.8,
) -> Network:
    """Put region norms in place of a network's norms, in place, and let its call take the hole.

        network = convert_norms(network)
        answer = network(image, hole_mask=mask)

    The network's own `forward` stays as it is: the mask goes past it to the norms, each of which
    scales it to its features' size (nearest pixel). The new norms begin with the γ, β and ε of
    those that they replace, RN-B with the same for both regions. Where nothing is missing RN-B
    computes what an instance or group norm did. The network has to be called itself, as
    `DistributedDataParallel` does, not its `forward`.

    Args:
        network: is changed; its 2-d batch, instance and group norms are replaced. A norm that is
            used at several places stays one.
        kind: what becomes of a norm, by its name in the network and itself: "basic" (RN-B, told the
            hole), "learnable" (RN-L, finds its regions), "keep". The paper takes RN-B for the
            layers before the hole has blurred, and RN-L for those after.
        statistics: of the new norms; "instance" for batch and instance norms if not given (as in
            the paper), and for group norms "group" with their groups.
        threshold: t of RN-L.

    Returns:
        The network. `hole_mask` is N×1×h×w or 1×1×h×w, 1 = missing.

    Raises:
        ModelError: if no norm is replaced; when it is called: if `hole_mask` is missing or is none.
    """
    carried = _Carried()
    made: dict[nn.Module, nn.Module] = {}
    for name, norm in list(network.named_modules()):
        if isinstance(norm, PlainNorms):
            chosen = kind(name, norm)
            if chosen == "keep":
                continue
            made[norm] = _CarriedNorm(_region_norm(norm, chosen, statistics, threshold), carried)
    if not made:
        raise ModelError(
            f"{type(network).__name__} has no BatchNorm2d, InstanceNorm2d or GroupNorm to replace"
        )
    if network in made:
        raise ModelError("give the network that the norm is a part of, not the norm alone")
    for path, module in list(network.named_modules(remove_duplicate=False)):
        if module in made:
            parent, _, name = path.rpartition(".")
            setattr(network.get_submodule(parent), name, made[module])
    network.register_forward_pre_hook(carried, with_kwargs=True)
    return network


class _Carried:
    """The hole mask of the call that is being made; an object, so that a copied network has one."""

    def __init__(self) -> None:
        self.mask: Tensor | None = None

    def __call__(
        self, network: nn.Module, inputs: tuple[Any, ...], options: dict[str, Any]
    ) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Take the mask out of a call's arguments.

        It stays until the next call: where activations are recomputed, backward needs it again.
        """
        options = dict(options)
        mask = options.pop("hole_mask", None)
        if not isinstance(mask, Tensor) or mask.ndim != 4 or mask.shape[1] != 1:
            raise ModelError(
                "the norms of this network are region norms: call it with hole_mask=, "
                "N×1×H×W, 1 = missing"
            )
        self.mask = mask
        return inputs, options


class _CarriedNorm(nn.Module):
    """A region norm that is called like a plain one."""

    def __init__(self, norm: RegionNormBasic | RegionNormLearnable, carried: _Carried) -> None:
        super().__init__()
        self.norm = norm
        self._carried = carried

    def forward(self, x: Tensor) -> Tensor:
        """N×C×H×W → N×C×H×W."""
        mask = self._carried.mask
        if mask is None:
            raise ModelError("call the network that was converted, not a part of it")
        if mask.shape[0] not in (1, x.shape[0]):
            raise ModelError(f"hole_mask holds {mask.shape[0]} masks for {x.shape[0]} pictures")
        hole = (mask > 0.5).to(x.dtype).expand(x.shape[0], -1, -1, -1)
        normalized: Tensor = self.norm(x, hole)
        return normalized


def _region_norm(
    norm: PlainNorms, kind: Kind, statistics: Statistics | None, threshold: float
) -> RegionNormBasic | RegionNormLearnable:
    """What takes a norm's place: on its device, of its type, with its γ, β and ε."""
    grouped = isinstance(norm, nn.GroupNorm)
    channels = norm.num_channels if isinstance(norm, nn.GroupNorm) else norm.num_features
    groups = norm.num_groups if isinstance(norm, nn.GroupNorm) else 32
    shared: dict[str, Any] = {
        "statistics": statistics or ("group" if grouped else "instance"),
        "groups": groups,
        "eps": norm.eps,
    }
    if kind == "learnable":
        made: RegionNormBasic | RegionNormLearnable = RegionNormLearnable(
            channels, threshold=threshold, **shared
        )
    elif kind == "basic":
        made = RegionNormBasic(channels, **shared)
        with torch.no_grad():
            if norm.weight is not None:
                made.weight.copy_(norm.weight.detach().expand(2, -1))
            if norm.bias is not None:
                made.bias.copy_(norm.bias.detach().expand(2, -1))
    else:
        raise ModelError(f"kind gave {kind!r} for a norm; give basic, learnable or keep")
    return made if norm.weight is None else made.to(norm.weight.device, norm.weight.dtype)
