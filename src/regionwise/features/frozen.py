"""What all frozen networks share: how their weights are read, and where they compute."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from regionwise.errors import CheckpointError, ModelError

if TYPE_CHECKING:
    from torch import Tensor, nn


def read_weights(file: Path) -> dict[str, Tensor]:
    """The tensors of a .pth or .safetensors file; no code in it is ever run.

    Raises:
        ModelError: PyTorch is not installed.
        CheckpointError: the file is missing or broken.
    """
    try:
        import torch
        from safetensors.torch import load_file
    except ImportError:
        raise ModelError('this needs PyTorch; pip install "regionwise[train]"') from None
    try:
        state: object
        if file.suffix == ".safetensors":
            state = load_file(file)
        else:
            state = torch.load(file, map_location="cpu", weights_only=True)
    except FileNotFoundError as error:
        raise CheckpointError(f"{file}: there is no such file of weights") from error
    except Exception as error:  # torch and safetensors name no common class for a broken file
        detail = " ".join(str(error).split())[:120]
        raise CheckpointError(f"{file}: not readable weights ({detail})") from error
    if not isinstance(state, dict):
        raise CheckpointError(f"{file}: not a dictionary of weights")
    return {key: value for key, value in state.items() if isinstance(value, torch.Tensor)}


def load_into(network: nn.Module, weights: Mapping[str, Tensor], file: Path, title: str) -> None:
    """Give a network those of its weights that a file holds; more may be there.

    Raises:
        CheckpointError: naming the first weight that is missing or of another shape.
    """
    wanted = network.state_dict()
    for key, parameter in wanted.items():
        if key not in weights:
            raise CheckpointError(f"{file} has no {key}: it is not {title}")
        if weights[key].shape != parameter.shape:
            raise CheckpointError(
                f"{file}: {key} is {tuple(weights[key].shape)}, not {tuple(parameter.shape)}: "
                f"it is not {title}"
            )
    network.load_state_dict({key: weights[key] for key in wanted})


def torch_device(device: str) -> str:
    """The device's name for PyTorch; `auto` is a GPU where there is one."""
    import torch

    return ("cuda" if torch.cuda.is_available() else "cpu") if device == "auto" else device


@contextmanager
def failures_told(name: str) -> Iterator[None]:
    """Tell what a network says when it fails in one line.

    Raises:
        ModelError: for each `RuntimeError` inside: too little memory, too small a picture.
    """
    try:
        yield
    except RuntimeError as error:
        raise ModelError(f"{name} failed ({' '.join(str(error).split())[:160]})") from error
