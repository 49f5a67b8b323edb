"""A training's state on disk: written whole or not at all."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import numpy as np
import torch

from regionwise.errors import CheckpointError
from regionwise.output import whole_file


def write_atomically(content: dict[str, Any], file: Path) -> None:
    """Save with torch beside the file, then rename: a full disk or a kill leaves the older file.

    Raises:
        OutputError: if it can't be written.
    """
    with whole_file(file) as stream:
        torch.save(content, stream)


def read_state(file: Path) -> dict[str, Any]:
    """Read what `write_atomically` wrote; no code in it is ever run.

    Raises:
        CheckpointError: if the file is missing, broken, or not a training state.
    """
    try:
        content = torch.load(file, map_location="cpu", weights_only=True)
    except FileNotFoundError as error:
        raise CheckpointError(f"{file}: there is no checkpoint to go on from") from error
    except Exception as error:  # torch names no common class for a broken file
        detail = " ".join(str(error).split())[:160]
        raise CheckpointError(f"{file}: not a readable checkpoint ({detail})") from error
    if not isinstance(content, dict) or "generator" not in content or "step" not in content:
        raise CheckpointError(f"{file}: not a training checkpoint of regionwise")
    return content


def seed_random(seed: int) -> None:
    """Start all of this process's random generators from one seed, below 2³²."""
    random.seed(seed)
    np.random.seed(seed)  # noqa: NPY002
    torch.manual_seed(seed)


def random_state() -> dict[str, Any]:
    """The states of all of this process's random generators, as plain data and tensors."""
    numpy_state: Any = np.random.get_state(legacy=True)  # noqa: NPY002
    kind, keys, position, has_gauss, gauss = numpy_state
    return {
        "python": random.getstate(),
        "numpy": (str(kind), torch.from_numpy(keys.astype(np.int64)), position, has_gauss, gauss),
        "torch": torch.get_rng_state(),
        "cuda": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
    }


def set_random_state(state: dict[str, Any]) -> None:
    """Put all random generators where `random_state` found them."""
    random.setstate(state["python"])
    kind, keys, position, has_gauss, gauss = state["numpy"]
    numpy_state = (kind, keys.numpy().astype(np.uint32), position, has_gauss, gauss)
    np.random.set_state(numpy_state)  # noqa: NPY002
    torch.set_rng_state(state["torch"])
    if len(state["cuda"]) == torch.cuda.device_count():
        torch.cuda.set_rng_state_all(state["cuda"])
