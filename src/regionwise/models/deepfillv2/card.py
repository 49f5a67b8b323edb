"""DeepFill v2's card."""

from __future__ import annotations

from regionwise.models.card import NetworkCard, Paper, Released, Variant

CARD = NetworkCard(
    name="deepfillv2",
    title="gated convolutions (GC) and contextual attention",
    papers=(Paper("Yu et al.", "Free-Form Image Inpainting with Gated Convolution", "ICCV", 2019),),
    network="DeepFillV2Generator",
    files="`states_tf_*.pth`, `states_pt_*.pth` of a PyTorch port; the authors' variables as .npz",
    licence="the authors' (TensorFlow): CC BY-NC; port: none named",
    size=256,
    slim={"width": 8},
    variants=(
        Variant("DeepFill v2 (GC)", {}, "4.1M", "55.51 G"),
        Variant("RN-GC", {"coarse_norm": "region"}),
    ),
    released=Released((4_052_478,), 27.73),
    note="The parameters are the paper's own count. "
    "The count of operations is MADF's, IEEE TIP 2021, Table IV, and twice ours: operations, not "
    "products. Region Normalization inside it: that paper's section 4.5 gives no figures. What "
    "ours computes more are the attention's neighbours of slices.",
)
