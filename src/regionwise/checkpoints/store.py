"""Our own checkpoints: safetensors that say which network they belong to."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save as to_bytes
from torch import Tensor, nn

from regionwise.checkpoints.official import from_official
from regionwise.errors import CheckpointError, ModelError, OutputError
from regionwise.models.registry import create_model


def save_checkpoint(
    weights: dict[str, Tensor], file: Path, model: str, options: dict[str, Any]
) -> None:
    """Write weights as safetensors with the network's name and options in the header."""
    header = {"model": model, "options": json.dumps(options), "format": "regionwise"}
    content = to_bytes({key: value.contiguous() for key, value in weights.items()}, header)
    temporary = file.with_name(file.name + ".part")
    try:
        temporary.write_bytes(content)
        temporary.replace(file)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise OutputError(f"{file}: the weights could not be written ({error})") from error


def load_checkpoint(file: str | Path) -> nn.Module:
    """A network in eval mode from our safetensors, a training's `last.pt`, or an authors' file.

    Pickled files are read with `weights_only=True`, an .npz without pickles: no code in them is
    ever run.

    Raises:
        CheckpointError: for a missing, broken or foreign file.
    """
    file = Path(file)
    if not file.is_file():
        raise CheckpointError(f"{file}: there is no such file")
    read = {".safetensors": _from_safetensors, ".npz": _from_arrays}.get(file.suffix, _from_pickle)
    return read(file).eval()


def _from_safetensors(file: Path) -> nn.Module:
    try:
        with safe_open(file, framework="pt") as stream:
            header = stream.metadata() or {}
            weights = {key: stream.get_tensor(key) for key in stream.keys()}  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        raise CheckpointError(f"{file}: not a readable safetensors file ({error})") from error
    if header.get("format") != "regionwise":
        return _named(file, weights)
    return _built(file, header["model"], json.loads(header["options"]), weights)


def _from_arrays(file: Path) -> nn.Module:
    try:
        with file.open("rb") as stream:
            weights = dict(np.lib.npyio.NpzFile(stream))
    except (OSError, ValueError, BadZipFile) as error:
        raise CheckpointError(f"{file}: not a readable .npz of weights ({error})") from error
    return _named(file, weights)


def _from_pickle(file: Path) -> nn.Module:
    try:
        content = torch.load(file, map_location="cpu", weights_only=True)
    except Exception as error:  # torch names no common class for a broken file
        raise CheckpointError(
            f"{file}: not a readable checkpoint of weights alone "
            f"({' '.join(str(error).split())[:160]})"
        ) from error
    if isinstance(content, dict) and "average" in content and "recipe" in content:
        model = content["recipe"]["model"]
        return _built(file, model["name"], model["options"], content["average"])
    if not isinstance(content, dict):
        raise CheckpointError(f"{file}: holds no dictionary of weights")
    return _named(file, content)


def _named(file: Path, weights: dict[str, Any]) -> nn.Module:
    try:
        return from_official(weights)
    except CheckpointError as error:
        raise CheckpointError(f"{file}: {error}") from error


def _built(file: Path, name: str, options: dict[str, Any], weights: dict[str, Tensor]) -> nn.Module:
    try:
        network = create_model(name, **options)
        network.load_state_dict(weights)
    except (ModelError, RuntimeError) as error:
        raise CheckpointError(
            f"{file}: its weights do not fit the network {name!r} it names "
            f"({' '.join(str(error).split())[:160]})"
        ) from error
    return network
