"""DeepFill v1: "Generative Image Inpainting with Contextual Attention" (Yu et al., CVPR 2018)."""

from __future__ import annotations

from regionwise.models.deepfill.stages import Channels, CoarseNorm, DeepFillGenerator, Graph
from regionwise.models.options import check_option

GRAPHS = {
    "tensorflow": Graph(same=True, nearest="aligned"),
    "pytorch": Graph(same=False, nearest="plain", key_norm="smoothed"),
}


class DeepFillV1Generator(DeepFillGenerator):
    """DeepFill v1 (CA): ordinary convolutions, 3.60M parameters.

    `recipes/deepfillv1.yaml` is its training.

    Args:
        width: channels of the first convolution, 32 in the paper.
        graph: whose details (`GRAPHS`): "tensorflow", the authors', or "pytorch", those of the
            port (daa233's), whose convolutions and attention see other pixels.
        coarse_norm: "none" as published; "region": RN-CA of the Region Normalization paper's
            section 4.5, RN-B in the coarse network's encoder, RN-L in the rest of it.
        channels: the order in which the weights expect colours; the authors' is "bgr".

    Shapes: image N×3×H×W in [0, 1], mask N×1×H×W (1 = missing), any H, W ≥ 1 (padded inside to
    multiples of 8) → `Prediction` with two stages of N×3×H×W.

    Raises:
        ModelError: for an unknown option.
    """

    def __init__(
        self,
        *,
        width: int = 32,
        graph: str = "tensorflow",
        coarse_norm: CoarseNorm = "none",
        channels: Channels = "rgb",
    ) -> None:
        check_option("deepfillv1", "graph", graph, GRAPHS)
        super().__init__(width, GRAPHS[graph], coarse_norm, channels, gated=False)
