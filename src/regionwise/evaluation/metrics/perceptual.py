"""Perceptual error: distance of deep features (Johnson et al., ECCV 2016), as in Region-wise.

Region-wise (IJCAI 2019, Section 3.3) names Johnson's feature reconstruction: the mean squared
difference of VGG-16's relu2_2. The paper gives neither layer nor normalisation: this is Johnson's
layer with torchvision's weights and normalisation, and its numbers are not the paper's. Taken of
another network's features it has another name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from regionwise.evaluation.metrics.metric import FilledPicture, Score
from regionwise.features.downloads import VGG16, find_weights
from regionwise.features.frozen import failures_told, torch_device

if TYPE_CHECKING:
    from torch import Tensor


class PerceptualError:
    """Mean squared difference of a layer's features over the whole picture.

    Args:
        choice: `vgg`, with `:FOLDER` for weights from there, else from the cache or the network; or
            an .npz of Darknet's reference classifier, whose third stage is taken.
        device: `auto`, `cpu` or `cuda`.

    Raises:
        RegionwiseError: the weights can't be had.
    """

    def __init__(self, choice: str, device: str = "auto") -> None:
        self._device = torch_device(device)
        self._features: Callable[[Tensor], Tensor]
        if choice.endswith(".npz"):
            from regionwise.features.darknet import DarknetFeatures

            darknet = DarknetFeatures(Path(choice)).to(self._device)
            self._features = lambda x: darknet(x)[2]
            score = Score("perceptual_darknet", "Perceptual error (Darknet, stage 3)", "lower")
        else:
            from regionwise.features.vgg import load_vgg

            folder = choice.partition(":")[2]
            file = find_weights(VGG16, Path(folder) if folder else None)
            vgg = load_vgg("vgg16", ["relu2_2"], file=file).to(self._device)
            self._features = lambda x: vgg(x)["relu2_2"]
            score = Score("perceptual", "Perceptual error (VGG-16 relu2_2)", "lower")
        self.scores = (score,)

    def measure(self, filled: FilledPicture) -> Mapping[str, float]:
        """See `Metric`."""
        import torch

        score = self.scores[0]
        with torch.inference_mode(), failures_told(score.title):
            first, second = (
                self._features(torch.as_tensor(p, dtype=torch.float32, device=self._device)[None])
                for p in (filled.truth, filled.answer)
            )
            error = (first - second).square().mean(dtype=torch.float64)
        return {score.name: float(error)}
