"""DeepFill v1's card."""

from __future__ import annotations

from regionwise.models.card import NetworkCard, Paper, Released, Variant

CARD = NetworkCard(
    name="deepfillv1",
    title="contextual attention (CA): patches of the known region are pasted into the hole",
    papers=(
        Paper("Yu et al.", "Generative Image Inpainting with Contextual Attention", "CVPR", 2018),
    ),
    network="DeepFillV1Generator",
    files="`gen_*.pt` or `torch_model.p` of a PyTorch port; the authors' variables as .npz",
    licence="port: MIT; the authors' (TensorFlow): CC BY-NC",
    size=256,
    slim={"width": 4},
    variants=(
        Variant("DeepFill v1 (CA)", {}, "2.9M", "51.62 G"),
        Variant("RN-CA", {"coarse_norm": "region"}),
    ),
    released=Released((3_601_542,), 25.81),
    note="The parameters are the paper's own count; the released network has more. "
    "The count of operations is MADF's, IEEE TIP 2021, Table IV, and twice ours: operations, not "
    "products. Region Normalization inside it: that paper's section 4.5 gives no figures. What "
    "ours computes more are the attention's neighbours of slices.",
)
