"""The Region-wise generator's card."""

from __future__ import annotations

from regionwise.models.card import NetworkCard, Paper, Released, Variant

CARD = NetworkCard(
    name="region-wise",
    title="convolutions with a filter for each region, coarse to fine (RED, Region-wise GAN)",
    papers=(
        Paper(
            "Ma et al.",
            "Coarse-to-Fine Image Inpainting via Region-wise Convolutions and Non-local "
            "Correlation",
            "IJCAI",
            2019,
        ),
        Paper(
            "Ma et al.",
            "Region-wise Generative Adversarial Image Inpainting for Large Missing Areas",
            "",
            2019,
        ),
    ),
    network="RegionWiseGenerator",
    files="the authors' variables (TensorFlow) as .npz",
    licence="unknown to us",
    size=256,
    slim={"width": 4},
    variants=(
        Variant("both stages"),
        Variant("semantic inferring alone", {"stages": 1}, released=Released((2_830_083,), 47.65)),
        Variant("standard convolutions", {"convolution": "standard"}),
    ),
    released=Released((2_830_083, 1_875_971), 61.78),
    note="The papers give no figures. The equations are counted as released: both regions' filters "
    "everywhere, after the upsampling. Ours convolves and upsamples in one, and of a hole in one "
    "piece only its bounding box (not counted here: this hole reaches everywhere).",
)
