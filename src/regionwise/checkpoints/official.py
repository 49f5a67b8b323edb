"""The authors' checkpoints, recognised by their keys."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from regionwise.checkpoints import (
    aotgan,
    deepfill,
    deepgin,
    edgeconnect,
    glcic,
    lbam,
    madf,
    pconv,
    pennet,
    pic,
    region_wise,
    rn,
    structureflow,
)
from regionwise.checkpoints.checkpoint import Checkpoint
from regionwise.checkpoints.parts import joined
from regionwise.errors import CheckpointError
from regionwise.models.network import InpaintingNetwork

_FORMATS = (
    aotgan,
    deepfill,
    deepgin,
    edgeconnect,
    glcic,
    lbam,
    madf,
    pconv,
    pennet,
    pic,
    region_wise,
    rn,
    structureflow,
)
_WRAPPERS = ("model", "state_dict", "generator", "netG", "G")

FILES_OF_PARTS: tuple[dict[str, str], ...] = tuple(
    format_.FILES for format_ in _FORMATS if hasattr(format_, "FILES")
)
"""For each network that comes as several files: its parts, and the names of their files."""


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

    A format is a module with `recognizes(weights)`, which looks at keys alone, and
    `convert(weights)`, which gives the `Checkpoint`.
    """
    weights = _unwrapped(content)
    for format_ in _FORMATS:
        if format_.recognizes(weights):
            try:
                checkpoint: Checkpoint = format_.convert(weights)
                return checkpoint
            except (KeyError, RuntimeError, IndexError) as error:
                detail = " ".join(str(error).split())[:200]
                name = format_.__name__.rpartition(".")[2]
                raise CheckpointError(
                    f"the keys are those of the authors' {name}, but it is incomplete: {detail}"
                ) from error
    first = ", ".join(list(weights)[:3]) or "nothing"
    raise CheckpointError(f"no network known here has these weights (the first are: {first})")


def _unwrapped(content: Mapping[str, Any]) -> dict[str, Tensor]:
    for files in FILES_OF_PARTS:
        if all(isinstance(content.get(part), Mapping) for part in files):
            return joined({part: _unwrapped(content[part]) for part in files})
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
