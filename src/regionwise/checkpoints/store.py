"""Checkpoints on disk: our safetensors say which network they belong to, others are recognised."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.torch import save as to_bytes

from regionwise.checkpoints.official import read_official
from regionwise.checkpoints.onnx_origin import read_onnx
from regionwise.checkpoints.pickled import read_pickled
from regionwise.errors import CheckpointError
from regionwise.models.checkpoint import Checkpoint
from regionwise.models.network import InpaintingNetwork
from regionwise.models.parts import MissingPartError
from regionwise.models.registry import network_cards
from regionwise.output import write_whole
from regionwise.weights.model_folder import ONNX, PYTORCH, is_model_folder, read_configuration


def save_checkpoint(checkpoint: Checkpoint, file: Path) -> None:
    """Write safetensors with the network's name and options in the header."""
    header = {
        "model": checkpoint.model,
        "options": json.dumps(checkpoint.options),
        "format": "regionwise",
    }
    weights = {key: value.contiguous() for key, value in checkpoint.weights.items()}
    write_whole(to_bytes(weights, header), file, overwrite=True)


def load_checkpoint(file: str | Path) -> InpaintingNetwork:
    """The network in eval mode; see `read_checkpoint` for the formats and errors."""
    try:
        return read_checkpoint(file).network()
    except CheckpointError as error:
        raise _of_file(file, error) from error


def read_checkpoint(file: str | Path) -> Checkpoint:
    """Read our safetensors or ONNX, a training's `last.pt`, or an authors' file (.pt, .ckpt, .npz).

    Where the authors have several files for one network, any of them is given, or their folder;
    a folder with a `config.json` is one of ours, see `regionwise.weights.model_folder`.
    Pickled files and TorchScript are read with `weights_only=True`, an .npz without pickles: no
    code in them is ever run.

    Raises:
        CheckpointError: for a missing, broken or foreign file.
    """
    file = Path(file)
    if not file.exists():
        raise CheckpointError(f"{file}: there is no such file")
    if is_model_folder(file):
        return _read_model_folder(file)
    if file.suffix == ".onnx":
        return read_onnx(file)
    header: dict[str, str] = {}
    content: dict[str, Any]
    parts = _parts(file)
    if parts:
        content = {part: _read(path)[1] for part, path in parts.items()}
    else:
        header, content = _read(file)
    if header.get("format") == "regionwise":
        return Checkpoint(header["model"], json.loads(header["options"]), content)
    if "average" in content and "recipe" in content:
        model = content["recipe"]["model"]
        return Checkpoint(model["name"], model["options"], content["average"])
    try:
        return read_official(content)
    except MissingPartError as error:  # which one the file is, only its name can tell
        missing = [name for name in error.files.values() if not (file.parent / name).is_file()]
        raise _of_file(file, MissingPartError(error.files, missing)) from error
    except CheckpointError as error:
        raise _of_file(file, error) from error


def _read_model_folder(folder: Path) -> Checkpoint:
    configuration = read_configuration(folder)
    if (folder / PYTORCH).is_file():
        _, weights = _read_safetensors(folder / PYTORCH)
        return Checkpoint(configuration.model, configuration.options, weights)
    if (folder / ONNX).is_file():
        return read_onnx(folder / ONNX)
    raise CheckpointError(f"{folder} holds neither {PYTORCH} nor {ONNX}; get the folder whole")


def _parts(path: Path) -> dict[str, Path]:
    """The files of a network that comes as several, by a folder or one of them; else nothing."""
    folder = path if path.is_dir() else path.parent
    parted = [card.parts for card in network_cards() if card.parts]
    for files in parted:
        found = {part: folder / name for part, name in files.items() if (folder / name).is_file()}
        if len(found) == len(files) and (path.is_dir() or path in found.values()):
            return found
        if path.is_dir() and found:
            lacking = [name for part, name in files.items() if part not in found]
            raise _of_file(path, MissingPartError(files, lacking))
    if path.is_dir():
        names = "; or ".join(" and ".join(files.values()) for files in parted)
        raise CheckpointError(f"{path}: a folder must hold {names}; give a file of weights")
    return {}


def _read(file: Path) -> tuple[dict[str, str], dict[str, Any]]:
    """The header of a safetensors file, else nothing, and what the file holds."""
    if file.suffix == ".safetensors":
        return _read_safetensors(file)
    return {}, _read_arrays(file) if file.suffix == ".npz" else _read_pickle(file)


def _of_file(file: str | Path, error: CheckpointError) -> CheckpointError:
    """The same error, with the file's name in it once."""
    message = str(error)
    return CheckpointError(message if message.startswith(str(file)) else f"{file}: {message}")


def _read_safetensors(file: Path) -> tuple[dict[str, str], dict[str, Any]]:
    try:
        with safe_open(file, framework="pt") as stream:
            header = stream.metadata() or {}
            return header, {key: stream.get_tensor(key) for key in stream.keys()}  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        raise CheckpointError(f"{file}: not a readable safetensors file ({error})") from error


def _read_pickle(file: Path) -> dict[str, Any]:
    try:
        return read_pickled(file)
    except Exception as error:  # torch names no common class for a broken file
        raise CheckpointError(
            f"{file}: broken, or not a file of weights alone; code in a file is never run. "
            "If its own program reads it, save its state dict there with torch.save"
        ) from error


def _read_arrays(file: Path) -> dict[str, Any]:
    try:
        with np.load(file, allow_pickle=False) as arrays:
            return dict(arrays)
    except (OSError, EOFError, ValueError, BadZipFile) as error:
        raise CheckpointError(f"{file}: not a readable .npz of arrays ({error})") from error
