"""The authors' checkpoints, recognised by their keys."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from regionwise.errors import CheckpointError
from regionwise.models.checkpoint import Checkpoint
from regionwise.models.network import InpaintingNetwork
from regionwise.models.parts import joined_parts
from regionwise.models.registry import network_cards, weights_readers

_WRAPPERS = ("model", "state_dict", "generator", "netG", "G")


def from_official(state_dict: Mapping[str, Any], **options: Any) -> InpaintingNetwork:
    """Our network in eval mode with the weights of an authors' checkpoint.

    Args:
        state_dict: as loaded from the authors' file: tensors, or the NumPy arrays of an .npz of
            TensorFlow variables. Wrappers ("model", "state_dict", "generator", "netG", "G") are
            opened. Where there are several files, a dictionary of what each holds, as
            {"edge": ..., "inpaint": ...} for EdgeConnect.
        options: of the network's class that weights can't tell, as RN's `statistics`.

    Raises:
        CheckpointError: if no known network has these keys, or their shapes don't fit.
    """
    found = read_official(state_dict)
    return Checkpoint(found.model, found.options | options, found.weights).network()


def read_official(content: Mapping[str, Any]) -> Checkpoint:
    """An authors' checkpoint as our name, options and weights; `from_official` says what is taken.

    The first network whose reader (`regionwise.models.reader`) recognises the keys reads them.
    """
    weights = _unwrapped(content)
    for name, reader in weights_readers().items():
        if reader.recognizes(weights):
            try:
                return reader.convert(weights)
            except (KeyError, RuntimeError, IndexError) as error:
                detail = " ".join(str(error).split())[:200]
                raise CheckpointError(
                    f"the keys are those of the authors' {name}, but it is incomplete: {detail}"
                ) from error
    first = ", ".join(list(weights)[:3]) or "nothing"
    raise CheckpointError(f"no network known here has these weights (the first are: {first})")


def _unwrapped(content: Mapping[str, Any]) -> dict[str, Tensor]:
    for card in network_cards():
        if card.parts and all(isinstance(content.get(part), Mapping) for part in card.parts):
            return joined_parts({part: _unwrapped(content[part]) for part in card.parts})
    for key in _WRAPPERS:
        inner = content.get(key)
        if isinstance(inner, Mapping):
            return _unwrapped(inner)
    weights = {}
    for key, value in content.items():
        if isinstance(value, Tensor):
            weights[key] = value
        elif isinstance(value, np.ndarray | np.generic) and value.dtype.kind in "bif":
            weights[key] = torch.as_tensor(value)
    return weights
