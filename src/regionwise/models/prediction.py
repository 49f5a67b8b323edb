"""What every model answers with, and how known pixels are kept."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Tensor


@dataclass
class Prediction:
    """A model's answer to `model(image, mask)`.

    Attributes:
        stages: pictures of N×3×H×W, coarse first; the last one is the answer. In eval mode their
            values lie in [0, 1]; in training they may lie outside, so that gradients live on.
        low_resolution: the answer at a lower resolution, where the paper has one (DeepGIN).
        guide: what the picture was painted along, as the network predicts it for the whole picture:
            N×1×H×W (EdgeConnect's edges) or N×3×H×W (StructureFlow's structure).
        flow: from where features were fetched, N×2×h×w, to the right and down in pixels of h×w
            (StructureFlow).
        numbers: what the network takes of each picture to be trained by, N each, by name; in
            training mode alone (PIC's divergence).
    """

    stages: list[Tensor]
    low_resolution: Tensor | None = None
    guide: Tensor | None = None
    flow: Tensor | None = None
    numbers: dict[str, Tensor] = field(default_factory=dict)

    @property
    def answer(self) -> Tensor:
        """The last stage, N×3×H×W."""
        return self.stages[-1]


def compose(image: Tensor, mask: Tensor, prediction: Prediction | Tensor) -> Tensor:
    """Put the prediction into the hole and keep each known pixel.

    Args:
        image: N×3×H×W in [0, 1].
        mask: N×1×H×W, 1 = missing.
        prediction: a `Prediction`, of which the last stage is taken, or a picture of N×3×H×W.

    Returns:
        N×3×H×W. A known pixel is the image's own, bit for bit, whatever the prediction holds there
        (even NaN).
    """
    answer = prediction.answer if isinstance(prediction, Prediction) else prediction
    return torch.where(mask > 0.5, answer, image)
