"""LaMa's card."""

from __future__ import annotations

from regionwise.models.card import NetworkCard, Paper, Released, Variant

CARD = NetworkCard(
    name="lama",
    title="convolutions of the spectrum see the whole picture; for large holes",
    papers=(
        Paper(
            "Suvorov et al.",
            "Resolution-robust Large Mask Inpainting with Fourier Convolutions",
            "WACV",
            2022,
        ),
    ),
    network="FourierConvGenerator",
    files="`best.ckpt` of a training, or TorchScript as `big-lama.pt`",
    licence="Apache-2.0",
    size=256,
    slim={"width": 8, "blocks": 1},
    variants=(
        Variant("Big LaMa-Fourier", {}, "51M"),
        Variant("LaMa-Fourier", {"blocks": 9}, "27M"),
    ),
    released=Released((50_975_875,), 55.06),
    note="The paper has no count of operations. The Fourier transforms are not counted.",
)
