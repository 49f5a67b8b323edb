"""A training's state on disk: written whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from regionwise.errors import CheckpointError, OutputError


class ExponentialAverage:
    """A slowly following copy of a network's weights: average ← decay · average + (1 − decay) · w.

    The decay starts small, (1 + t)/(10 + t), so that the first random weights are soon forgotten.
    """

    def __init__(self, network: nn.Module, decay: float) -> None:
        self.decay = decay
        self.updates = 0
        self.weights = {key: value.detach().clone() for key, value in network.state_dict().items()}

    @torch.no_grad()
    def update(self, network: nn.Module) -> None:
        """Follow the network's present weights."""
        self.updates += 1
        decay = min(self.decay, (1 + self.updates) / (10 + self.updates))
        for key, value in network.state_dict().items():
            if value.dtype.is_floating_point:
                self.weights[key].lerp_(value, 1 - decay)
            else:
                self.weights[key].copy_(value)


def write_atomically(content: dict[str, Any], file: Path) -> None:
    """Save with torch beside the file, then rename: a full disk or a kill leaves the older file."""
    temporary = file.with_name(file.name + ".part")
    try:
        with temporary.open("wb") as stream:
            torch.save(content, stream)
            stream.flush()
            os.fsync(stream.fileno())
        temporary.replace(file)
    except (OSError, RuntimeError) as error:
        temporary.unlink(missing_ok=True)
        raise OutputError(f"{file}: the checkpoint could not be written ({error})") from error


def read_state(file: Path) -> dict[str, Any]:
    """Read what `write_atomically` wrote; no code in it is ever run.

    Raises:
        CheckpointError: if the file is missing, broken, or not a training state.
    """
    try:
        content = torch.load(file, map_location="cpu", weights_only=True)
    except FileNotFoundError as error:
        raise CheckpointError(f"{file}: there is no checkpoint; start without --resume") from error
    except Exception as error:  # torch names no common class for a broken file
        raise CheckpointError(f"{file}: not a readable checkpoint ({error})") from error
    if not isinstance(content, dict) or "generator" not in content:
        raise CheckpointError(f"{file}: not a training checkpoint of regionwise")
    return content


def random_state() -> Tensor:
    """The state of torch's generator; photos and holes draw from the step number alone."""
    return torch.get_rng_state()
