"""DeepFill v2: "Free-Form Image Inpainting with Gated Convolution" (Yu et al., ICCV 2019)."""

from __future__ import annotations

from regionwise.models.deepfill.stages import Channels, CoarseNorm, DeepFillGenerator, Graph
from regionwise.models.options import check_option

GRAPHS = {
    "tensorflow": Graph(same=True, nearest="aligned"),
    "converted": Graph(same=True, nearest="linspace", fuse=False, mask_steps=(3,)),
    "pytorch": Graph(same=False, nearest="plain"),
}


class DeepFillV2Generator(DeepFillGenerator):
    """DeepFill v2 (GC): gated convolutions, 4.05M parameters.

    `recipes/deepfillv2.yaml` is its training.

    Args:
        width: channels of the first convolution, 24 in the released network (its name for them is
            48: features and gates).
        graph: whose details (`GRAPHS`): "tensorflow" as the authors trained it; "converted" as
            the PyTorch port runs the authors' weights, which leaves out the fusion of scores;
            "pytorch" as the port trained its own.
        coarse_norm: "none" as published; "region": RN-GC of the Region Normalization paper's
            section 4.5, RN-B in the coarse network's encoder, RN-L in the rest of it.
        channels: the order in which the weights expect colours; the authors' is "bgr".

    Shapes: image N×3×H×W in [0, 1], mask N×1×H×W (1 = missing), any H, W ≥ 1 (padded inside to
    multiples of 8) → `Prediction` with two stages of N×3×H×W. Each picture of a batch has its own
    mask (the released network takes the first one's for all).

    Raises:
        ModelError: for an unknown option.
    """

    def __init__(
        self,
        *,
        width: int = 24,
        graph: str = "tensorflow",
        coarse_norm: CoarseNorm = "none",
        channels: Channels = "rgb",
    ) -> None:
        check_option("deepfillv2", "graph", graph, GRAPHS)
        super().__init__(width, GRAPHS[graph], coarse_norm, channels, gated=True)
