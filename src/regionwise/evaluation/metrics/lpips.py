"""LPIPS (Zhang et al., CVPR 2018), version 0.1: distance of deep features, weighted as people see.

The networks are torchvision's, the weights of the channels the authors' own. Both are checked
files; without them there is no LPIPS, never one of random weights.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from regionwise.errors import CheckpointError, DataError
from regionwise.evaluation.metrics.metric import Metric
from regionwise.evaluation.metrics.pixels import Hole, Picture
from regionwise.features import classifiers as feature_networks
from regionwise.features.downloads import LPIPS_ALEX, LPIPS_VGG, find_weights

if TYPE_CHECKING:
    from torch import Tensor

_NETWORKS = {
    "alex": (feature_networks.ALEX, LPIPS_ALEX),
    "vgg": (feature_networks.VGG, LPIPS_VGG),
}
_SHIFT = (-0.030, -0.088, -0.188)
_SCALE = (0.458, 0.448, 0.450)


class LpipsJudge:
    """LPIPS as a further metric of an evaluation.

    Args:
        choice: `alex` (what papers mean by LPIPS) or `vgg`; with `:FOLDER` the weights come from
            there, else from the cache or the network.
        device: `auto`, `cpu` or `cuda`.

    Raises:
        RegionwiseError: the network is unknown, or its weights can't be had.
    """

    def __init__(self, choice: str, device: str = "auto") -> None:
        name, _, folder = choice.partition(":")
        if name not in _NETWORKS:
            raise DataError(f"--lpips: {name!r} is neither alex nor vgg")
        self._network, heads = _NETWORKS[name]
        place = Path(folder) if folder else None
        self._weights = feature_networks.load_network(self._network, place, device)
        state = feature_networks.load_state(find_weights(heads, place), device)
        try:
            self._heads = [state[f"lin{number}.model.1.weight"] for number in range(5)]
        except KeyError as error:
            raise CheckpointError(f"{heads.file} has no {error}") from None
        self._device = feature_networks.torch_device(device)
        title = "LPIPS (AlexNet)" if name == "alex" else "LPIPS (VGG-16)"
        self.metrics: Sequence[Metric] = (
            Metric("lpips" if name == "alex" else "lpips_vgg", title, "lower"),
        )

    def measure(self, truth: Picture, answer: Picture, hole: Hole) -> Mapping[str, float]:
        """LPIPS of the whole picture, 3×H×W in [0, 1]."""
        import torch

        with torch.inference_mode(), feature_networks.failures_told(self.metrics[0].title):
            pair = (torch.as_tensor(p, dtype=torch.float32, device=self._device)[None]
                    for p in (truth, answer))  # fmt: skip
            distance = lpips(self._network, self._weights, self._heads, *pair)
        return {self.metrics[0].name: float(distance)}


def lpips(
    network: feature_networks.Network,
    weights: dict[str, Tensor],
    heads: Sequence[Tensor],
    first: Tensor,
    second: Tensor,
) -> Tensor:
    """Σ over layers of the mean over positions of w · (f₁/|f₁| - f₂/|f₂|)²; N distances.

    Args:
        network: AlexNet or VGG-16.
        weights: the network's.
        heads: a 1×C×1×1 weight for each layer.
        first: N×3×H×W in [0, 1].
        second: likewise.
    """
    import torch

    shift = first.new_tensor(_SHIFT).view(1, 3, 1, 1)
    scale = first.new_tensor(_SCALE).view(1, 3, 1, 1)
    pair = [
        feature_networks.features(network, weights, (2 * x - 1 - shift) / scale)
        for x in (first, second)
    ]
    total = torch.zeros(len(first), dtype=torch.float64, device=first.device)
    for one, other, head in zip(*pair, heads, strict=True):
        difference = (_unit(one) - _unit(other)) ** 2
        total += (difference * head).sum(dim=1).double().mean(dim=(1, 2))
    return total


def _unit(x: Tensor) -> Tensor:
    """Each position's features, of length 1."""
    return x / (x.square().sum(dim=1, keepdim=True).sqrt() + 1e-10)
