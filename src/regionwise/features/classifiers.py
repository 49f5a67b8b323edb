"""AlexNet and VGG-16 up to their last convolution, from torchvision's weights, without torchvision.

They are functions of a dictionary of weights: metrics never train them.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from regionwise.errors import CheckpointError, ModelError
from regionwise.features.downloads import ALEXNET, VGG16, Weights, find_weights

if TYPE_CHECKING:
    from torch import Tensor

POOL = -1


@dataclass(frozen=True)
class Network:
    """A plain chain of convolutions, each with ReLU.

    `layers`: number of a convolution in torchvision's `features`, or POOL; `taps`: after which
    convolutions the features are taken; `pool`: side of the max pooling, stride 2.
    """

    name: str
    weights: Weights
    layers: tuple[int, ...]
    taps: tuple[int, ...]
    pool: int
    first_stride: int
    paddings: dict[int, int]
    smallest: int


ALEX = Network(
    "AlexNet",
    ALEXNET,
    layers=(0, POOL, 3, POOL, 6, 8, 10),
    taps=(0, 3, 6, 8, 10),
    pool=3,
    first_stride=4,
    paddings={0: 2, 3: 2},
    smallest=31,
)
VGG = Network(
    "VGG-16",
    VGG16,
    layers=(0, 2, POOL, 5, 7, POOL, 10, 12, 14, POOL, 17, 19, 21, POOL, 24, 26, 28),
    taps=(2, 7, 14, 21, 28),
    pool=2,
    first_stride=1,
    paddings={},
    smallest=16,
)


def load_network(network: Network, folder: Path | None, device: str) -> dict[str, Tensor]:
    """The weights of a network's convolutions, `features.I.weight` and `.bias`.

    Raises:
        ModelError: the file can't be had; CheckpointError: it is broken.
    """
    state = load_state(find_weights(network.weights, folder), device)
    wanted = [f"features.{number}.{end}" for number in network.layers if number != POOL
              for end in ("weight", "bias")]  # fmt: skip
    if missing := [key for key in wanted if key not in state]:
        raise CheckpointError(f"{network.weights.file} has no {missing[0]}: not {network.name}")
    return {key: state[key] for key in wanted}


def load_state(file: Path, device: str) -> dict[str, Tensor]:
    """A state dict from a .pth file, tensors only.

    Raises:
        ModelError: PyTorch is not installed; CheckpointError: the file is broken.
    """
    try:
        import torch
    except ImportError:
        raise ModelError('this metric needs PyTorch; pip install "regionwise[train]"') from None
    try:
        state = torch.load(file, map_location=torch_device(device), weights_only=True)
    except Exception as error:  # torch has no common class for what a broken file raises
        raise CheckpointError(
            f"{file}: no weights ({' '.join(str(error).split())[:120]})"
        ) from error
    return {key: value for key, value in state.items() if isinstance(value, torch.Tensor)}


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


def features(network: Network, weights: dict[str, Tensor], x: Tensor) -> list[Tensor]:
    """The features after each tap, of N×3×H×W normalised as the weights want it.

    Raises:
        ModelError: if the pictures are too small for the network.
    """
    import torch.nn.functional as F

    if min(x.shape[2:]) < network.smallest:
        raise ModelError(f"{network.name} needs pictures of at least {network.smallest} pixels")
    found = []
    for number in network.layers:
        if number == POOL:
            x = F.max_pool2d(x, network.pool, 2)
            continue
        stride = network.first_stride if number == 0 else 1
        weight, bias = weights[f"features.{number}.weight"], weights[f"features.{number}.bias"]
        x = F.relu(F.conv2d(x, weight, bias, stride, network.paddings.get(number, 1)))
        if number in network.taps:
            found.append(x)
    return found
