"""The checkpoint of the authors of Region Normalization."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from regionwise.models.checkpoint import Checkpoint

_PREFIXES = ("generator.module.", "generator.", "module.", "")
_MARK = "encoder_in1.foreground_gamma"


def recognizes(weights: Mapping[str, Tensor]) -> bool:
    """Whether these are the authors' keys, plain or from several GPUs, whole or generator alone."""
    return any(prefix + _MARK in weights for prefix in _PREFIXES)


def convert(weights: Mapping[str, Tensor]) -> Checkpoint:
    """Our network with the authors' weights.

    It has the paper's per-picture statistics; with statistics="batch" the answer is the released
    one, which depends on the rest of the batch. γ is stored as an offset from 1; the released
    affine adds both β everywhere.
    """
    prefix = next(prefix for prefix in _PREFIXES if prefix + _MARK in weights)
    theirs = {
        key.removeprefix(prefix): value for key, value in weights.items() if key.startswith(prefix)
    }
    options = {
        "width": theirs["encoder_conv1.weight"].shape[0],
        "blocks": len({key.split(".")[1] for key in theirs if key.startswith("middle.")}),
        "affine": "released",
    }
    return Checkpoint("rn", options, _renamed(theirs))


def _renamed(theirs: Mapping[str, Tensor]) -> dict[str, Tensor]:
    ours: dict[str, Tensor] = {}

    def convolution(target: str, source: str) -> None:
        ours[f"{target}.weight"] = theirs[f"{source}.weight"]
        ours[f"{target}.bias"] = theirs[f"{source}.bias"]

    def learnable(target: str, source: str) -> None:
        ours[f"{target}.response.weight"] = theirs[f"{source}.sa.conv1.weight"]
        for part in ("weight", "bias"):
            gamma, beta = (theirs[f"{source}.sa.{name}_conv.{part}"] for name in ("gamma", "beta"))
            ours[f"{target}.affine.{part}"] = torch.cat([gamma, beta])

    for level in range(3):
        convolution(f"encoder.{level}", f"encoder_conv{level + 1}")
        norm = f"encoder_in{level + 1}"
        known, hole = (theirs[f"{norm}.{region}_gamma"] for region in ("background", "foreground"))
        ours[f"encoder_norms.{level}.weight"] = 1 + torch.stack([known, hole])
        known, hole = (theirs[f"{norm}.{region}_beta"] for region in ("background", "foreground"))
        ours[f"encoder_norms.{level}.bias"] = torch.stack([known, hole])
    for block in sorted({key.split(".")[1] for key in theirs if key.startswith("middle.")}):
        for number, place in ((1, 1), (2, 5)):
            source = f"middle.{block}.conv_block"
            convolution(f"middle.{block}.conv{number}", f"{source}.{place}")
            learnable(f"middle.{block}.norm{number}", f"{source}.{place + 1}")
    for step, place in enumerate((0, 4)):
        convolution(f"decoder.{step}.0", f"decoder.{place}")
        learnable(f"decoder_norms.{step}", f"decoder.{place + 2}")
    convolution("last", "decoder.9")
    return ours
