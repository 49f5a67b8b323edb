"""VGG16 and VGG19 (Simonyan and Zisserman, ICLR 2015), whose features the papers compare.

The weights are torchvision's, trained on ImageNet: downloaded once and checked
(`regionwise.features.downloads`), or read from a file. They are never random but in `random_vgg`.

Pictures are in [0, 1]. `normalize` takes them to the mean and deviation of ImageNet that the
weights were trained with: MADF, PConv, DeepGIN. The released EdgeConnect, RN and LBAM feed plain
[0, 1].
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from regionwise.errors import CheckpointError, ModelError
from regionwise.features.downloads import VGG16, VGG19, find_weights
from regionwise.features.frozen import load_into, read_weights
from regionwise.features.imagenet import normalized

VggName = Literal["vgg16", "vgg19"]

_CONVOLUTIONS = {"vgg16": (2, 2, 3, 3, 3), "vgg19": (2, 2, 4, 4, 4)}
_CHANNELS = (64, 128, 256, 512, 512)
_WEIGHTS = {"vgg16": VGG16, "vgg19": VGG19}
_ONLY_IN_THE_OTHER = {"vgg16": "features.16.weight", "vgg19": "features.17.weight"}


def layer_names(network: VggName) -> list[str]:
    """All layers, first to last: conv1_1, relu1_1, conv1_2, relu1_2, pool1, … pool5."""
    return [name for name, _ in _numbered_layers(network)]


class VGG(nn.Module):
    """The activations of some layers; frozen, and all NaN: use `load_vgg` or `random_vgg`.

    The network ends after the last layer that is wanted. Keys are
    those of torchvision's state dict, `features.N.weight` and `.bias`.

    Args:
        network: which.
        layers: names from `layer_names`.
        normalize: whether pictures are brought to ImageNet's mean and deviation first.

    Shapes: N×3×H×W in [0, 1] → for each layer, by its name, N×C×h×w; sides are halved by each
    pooling, rounded down.

    Raises:
        ModelError: for an unknown layer, or in use for a picture that a pooling has no pixel of.
    """

    def __init__(self, network: VggName, layers: Iterable[str], *, normalize: bool = True) -> None:
        super().__init__()
        self.network = network
        self.layers = frozenset(layers)
        names = layer_names(network)
        if unknown := sorted(self.layers - set(names)):
            raise ModelError(f"{network} has no layer {unknown[0]!r}; it has {', '.join(names)}")
        self.normalize = normalize
        last = max((names.index(layer) for layer in self.layers), default=-1)
        self.path = _numbered_layers(network)[: last + 1]
        channels = 3
        self.features = nn.ModuleDict()
        for name, number in self.path:
            if name.startswith("conv"):
                width = _CHANNELS[int(name[4]) - 1]
                # On "meta" it draws no random numbers that a training would miss.
                convolution = nn.Conv2d(channels, width, 3, padding=1, device="meta")
                self.features[str(number)] = convolution.to_empty(device="cpu")
                channels = width
        for parameter in self.parameters():
            parameter.data.fill_(torch.nan)
        self.requires_grad_(False).eval()

    def forward(self, picture: Tensor) -> dict[str, Tensor]:
        """Features of the picture; see the class."""
        poolings = sum(name.startswith("pool") for name, _ in self.path)
        if min(picture.shape[-2:]) < 2**poolings:
            raise ModelError(
                f"{self.network} up to {self.path[-1][0]} needs pictures of {2**poolings} pixels "
                f"a side, not {picture.shape[-1]}×{picture.shape[-2]}"
            )
        x = normalized(picture) if self.normalize else picture
        x = x.to(next(self.parameters()).dtype)
        found = {}
        for name, number in self.path:
            if name.startswith("conv"):
                x = self.features[str(number)](x)
            elif name.startswith("relu"):
                # In place where no one wants the convolution's answer: no gradient needs it.
                x = F.relu(x, inplace=name.replace("relu", "conv") not in self.layers)
            else:
                x = F.max_pool2d(x, 2)
            if name in self.layers:
                found[name] = x
        return found


def load_vgg(
    network: VggName, layers: Sequence[str], *, normalize: bool = True, file: Path | None = None
) -> VGG:
    """A VGG with the weights of ImageNet.

    Args:
        network, layers, normalize: see `VGG`.
        file: torchvision's state dict (.pth, or .safetensors); if not given it is taken from the
            cache, or downloaded (550 MB).

    Raises:
        ModelError: for an unknown layer, or if the weights can't be had.
        CheckpointError: the file is broken or holds another network.
    """
    vgg = VGG(network, layers, normalize=normalize)
    if file is None:
        try:
            file = find_weights(_WEIGHTS[network])
        except (ModelError, CheckpointError) as error:
            raise type(error)(f"{error}, or name the file with --vgg PATH") from error
    weights = read_weights(file)
    if _ONLY_IN_THE_OTHER[network] in weights:
        raise CheckpointError(f"{file}: it is not torchvision's {network}, but the other VGG")
    load_into(vgg, weights, file, f"torchvision's {network}")
    return vgg


def random_vgg(
    network: VggName, layers: Sequence[str], *, normalize: bool = True, seed: int = 0
) -> VGG:
    """A VGG with random weights from a seed, for tests: what it says of a picture means little."""
    vgg = VGG(network, layers, normalize=normalize)
    generator = torch.Generator().manual_seed(seed)
    for key, parameter in vgg.state_dict().items():
        if key.endswith(".bias"):
            parameter.zero_()
        else:
            std = (2 / parameter[0].numel()) ** 0.5
            parameter.normal_(0, std, generator=generator)
    return vgg


def _numbered_layers(network: VggName) -> list[tuple[str, int]]:
    """Names and numbers of the layers in torchvision's `features`."""

    def names() -> Iterator[str]:
        for block, convolutions in enumerate(_CONVOLUTIONS[network], start=1):
            for k in range(1, convolutions + 1):
                yield f"conv{block}_{k}"
                yield f"relu{block}_{k}"
            yield f"pool{block}"

    return [(name, number) for number, name in enumerate(names())]
