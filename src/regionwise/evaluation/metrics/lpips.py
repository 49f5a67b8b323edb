"""LPIPS (Zhang et al., CVPR 2018), version 0.1: distance of deep features, weighted as people see.

The networks are torchvision's, the weights of the channels the authors' own. Both are checked
files; without them there is no LPIPS, never one of random weights. The authors' shift and scale of
the input are ImageNet's mean and standard deviation, for pictures in [-1, 1].
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from regionwise.errors import CheckpointError, DataError
from regionwise.evaluation.metrics.metric import FilledPicture, Score
from regionwise.features.downloads import ALEXNET, LPIPS_ALEX, LPIPS_VGG, VGG16, find_weights
from regionwise.features.frozen import failures_told, read_weights, torch_device

if TYPE_CHECKING:
    from torch import Tensor, nn

_SCORES = {
    "alex": Score("lpips", "LPIPS (AlexNet)", "lower"),
    "vgg": Score("lpips_vgg", "LPIPS (VGG-16)", "lower"),
}
VGG_LAYERS = ("relu1_2", "relu2_2", "relu3_3", "relu4_3", "relu5_3")


class Lpips:
    """LPIPS of the whole picture.

    Args:
        choice: `alex` (what papers mean by LPIPS) or `vgg`; with `:FOLDER` the weights come from
            there, else from the cache or the network.
        device: `auto`, `cpu` or `cuda`.

    Raises:
        RegionwiseError: the network is unknown, or its weights can't be had.
    """

    def __init__(self, choice: str, device: str = "auto") -> None:
        name, _, folder = choice.partition(":")
        if name not in _SCORES:
            raise DataError(f"--lpips: {name!r} is neither alex nor vgg")
        self.scores = (_SCORES[name],)
        self._device = torch_device(device)
        self._network = _load(name, Path(folder) if folder else None).to(self._device)
        self._heads = [head.to(self._device) for head in _heads(name, folder)]

    def measure(self, filled: FilledPicture) -> Mapping[str, float]:
        """See `Metric`."""
        import torch

        score = self.scores[0]
        with torch.inference_mode(), failures_told(score.title):
            pair = (
                torch.as_tensor(picture, dtype=torch.float32, device=self._device)[None]
                for picture in (filled.truth, filled.answer)
            )
            distance = lpips(self._network, self._heads, *pair)
        return {score.name: float(distance)}


def lpips(network: nn.Module, heads: Sequence[Tensor], first: Tensor, second: Tensor) -> Tensor:
    """Σ over layers of the mean over positions of w · (f₁/|f₁| - f₂/|f₂|)²; N distances.

    Args:
        network: gives the features of N×3×H×W in [0, 1], a layer each, in order.
        heads: a 1×C×1×1 weight for each layer.
        first, second: N×3×H×W in [0, 1].
    """
    import torch

    total = torch.zeros(len(first), dtype=torch.float64, device=first.device)
    features = (network(x).values() for x in (first, second))
    for one, other, head in zip(*features, heads, strict=True):
        difference = (_unit(one) - _unit(other)) ** 2
        total += (difference * head).sum(dim=1).double().mean(dim=(1, 2))
    return total


def _load(name: str, folder: Path | None) -> nn.Module:
    if name == "alex":
        from regionwise.features.alexnet import load_alexnet

        return load_alexnet(find_weights(ALEXNET, folder))
    from regionwise.features.vgg import load_vgg

    return load_vgg("vgg16", VGG_LAYERS, file=find_weights(VGG16, folder))


def _heads(name: str, folder: str) -> list[Tensor]:
    weights = LPIPS_ALEX if name == "alex" else LPIPS_VGG
    state = read_weights(find_weights(weights, Path(folder) if folder else None))
    try:
        return [state[f"lin{number}.model.1.weight"] for number in range(5)]
    except KeyError as error:
        raise CheckpointError(f"{weights.file} has no {error}") from None


def _unit(x: Tensor) -> Tensor:
    """Each position's features, of length 1."""
    return x / (x.square().sum(dim=1, keepdim=True).sqrt() + 1e-10)
