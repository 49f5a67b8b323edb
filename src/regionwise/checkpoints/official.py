"""The authors' checkpoints, recognised by their keys."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn

from regionwise.checkpoints import deepgin, madf, rn
from regionwise.errors import CheckpointError

_FORMATS = (deepgin, madf, rn)


def from_official(state_dict: Mapping[str, Any], **options: Any) -> nn.Module:
    """Our network in eval mode with the weights of an authors' checkpoint.

    Args:
        state_dict: as loaded from the authors' file. Wrappers ("model", "state_dict") are opened.
        options: of the network's class that weights can't tell, as RN's `statistics`.

    Raises:
        CheckpointError: if no known network has these keys, or their shapes don't fit.
    """
    weights = _unwrapped(state_dict)
    for format_ in _FORMATS:
        if format_.recognizes(weights):
            try:
                network: nn.Module = format_.convert(weights, **options)
                return network
            except (KeyError, RuntimeError, IndexError) as error:
                detail = " ".join(str(error).split())[:200]
                name = format_.__name__.rpartition(".")[2]
                raise CheckpointError(
                    f"the keys are those of the authors' {name}, but it is incomplete: {detail}"
                ) from error
    first = ", ".join(list(weights)[:3]) or "nothing"
    raise CheckpointError(f"no network known here has these weights (the first are: {first})")


def _unwrapped(content: Mapping[str, Any]) -> dict[str, Tensor]:
    for key in ("model", "state_dict", "generator"):
        inner = content.get(key)
        if isinstance(inner, Mapping):
            return _unwrapped(inner)
    return {key: value for key, value in content.items() if isinstance(value, Tensor)}
