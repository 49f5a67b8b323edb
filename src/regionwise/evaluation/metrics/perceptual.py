"""Perceptual error: distance of deep features (Johnson et al., ECCV 2016), as in Region-wise.

Region-wise (IJCAI 2019, Section 3.3) names Johnson's feature reconstruction: the mean squared
difference of VGG-16's relu2_2. The paper gives neither layer nor normalisation: this is Johnson's
layer with torchvision's weights and normalisation, and its numbers are not the paper's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from regionwise.evaluation.metrics.metric import Metric
from regionwise.evaluation.metrics.pixels import Hole, Picture
from regionwise.features import classifiers as feature_networks

if TYPE_CHECKING:
    from torch import Tensor

_MEAN = (0.485, 0.456, 0.406)
_DEVIATION = (0.229, 0.224, 0.225)


class PerceptualJudge:
    """The perceptual error as a further metric of an evaluation.

    Args:
        choice: `vgg`, with `:FOLDER` for weights from there, else from the cache or the network; or
            an .npz of Darknet's reference classifier, whose error gets a name of its own.
        device: `auto`, `cpu` or `cuda`.

    Raises:
        RegionwiseError: the weights can't be had.
    """

    def __init__(self, choice: str, device: str = "auto") -> None:
        self._device = feature_networks.torch_device(device)
        if choice.endswith(".npz"):
            from regionwise.features.darknet import DarknetFeatures

            darknet = DarknetFeatures(Path(choice)).to(self._device)
            self._features: Callable[[Tensor], Tensor] = lambda x: darknet(x)[2]
            metric = Metric("perceptual_darknet", "Perceptual error (Darknet, stage 3)", "lower")
        else:
            _, _, folder = choice.partition(":")
            place = Path(folder) if folder else None
            weights = feature_networks.load_network(feature_networks.VGG, place, device)
            self._features = lambda x: _vgg(weights, x)
            metric = Metric("perceptual", "Perceptual error (VGG-16 relu2_2)", "lower")
        self.metrics: Sequence[Metric] = (metric,)

    def measure(self, truth: Picture, answer: Picture, hole: Hole) -> Mapping[str, float]:
        """The error of the whole picture, 3×H×W in [0, 1]."""
        import torch

        with torch.inference_mode(), feature_networks.failures_told(self.metrics[0].title):
            first, second = (
                self._features(torch.as_tensor(p, dtype=torch.float32, device=self._device)[None])
                for p in (truth, answer)
            )
            error = (first - second).square().mean(dtype=torch.float64)
        return {self.metrics[0].name: float(error)}


def _vgg(weights: dict[str, Tensor], x: Tensor) -> Tensor:
    mean, deviation = (x.new_tensor(c).view(1, 3, 1, 1) for c in (_MEAN, _DEVIATION))
    return feature_networks.features(feature_networks.VGG, weights, (x - mean) / deviation)[1]
