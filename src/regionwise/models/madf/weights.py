"""The checkpoint of the authors of MADF."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from regionwise.models.checkpoint import Checkpoint

_PREFIXES = ("module.model.", "model.", "module.", "")
_MARK = "filter_gen_1.conv1.0.weight"


def recognizes(weights: Mapping[str, Tensor]) -> bool:
    """Whether these are the authors' keys, as saved in training or of the bare network."""
    return any(prefix + _MARK in weights for prefix in _PREFIXES)


def convert(weights: Mapping[str, Tensor]) -> Checkpoint:
    """Our network with the authors' weights; the number of refinement decoders is read off them.

    Left out: VGG's tensors, if the file holds them, and the encoder's batch normalisations, which
    the released network has but never calls.
    """
    prefix = next(prefix for prefix in _PREFIXES if prefix + _MARK in weights)
    theirs = {
        key.removeprefix(prefix): value for key, value in weights.items() if key.startswith(prefix)
    }
    levels = len([key for key in theirs if key.startswith("enc_up_") and key.endswith("weight")])
    refinements = len([key for key in theirs if key.endswith("_1.weight") and "dec_ref" in key])
    options = {
        "refinements": refinements,
        "width": theirs["enc_up_1.0.weight"].shape[0],
        "levels": levels,
    }
    return Checkpoint("madf", options, _renamed(theirs, levels, refinements))


def _renamed(theirs: Mapping[str, Tensor], levels: int, refinements: int) -> dict[str, Tensor]:
    ours: dict[str, Tensor] = {}

    def copy(target: str, source: str) -> None:
        for key, value in theirs.items():
            if key.startswith(source + "."):
                ours[target + key.removeprefix(source)] = value

    for level in range(1, levels + 1):
        home = f"encoder.levels.{level - 1}"
        copy(f"{home}.mask_conv", f"filter_gen_{level}.conv.0")
        ours[f"{home}.weight"] = _filters(theirs, level)
        copy(f"encoder.widen.{level - 1}", f"enc_up_{level}.0")
    for step, level in enumerate(range(levels, 1, -1)):
        copy(f"recovery.{step}.up", f"deconv_{level}.0")
        copy(f"recovery.{step}.norm", f"deconv_{level}.1")
        copy(f"recovery.{step}.fuse", f"att_conv_{level}.conv.0")
        for number in range(refinements):
            home, source = f"refinements.{number}.steps.{step}", f"dec_ref{number}_{level}"
            copy(f"{home}.up", f"{source}.deconv")
            copy(f"{home}.norm.norm", f"{source}.bn.batch_norm")
            copy(f"{home}.norm.shared", f"{source}.bn.mlp_shared.0")
            for part in ("weight", "bias"):
                maps = [theirs[f"{source}.bn.mlp_{name}.{part}"] for name in ("scale", "bias")]
                ours[f"{home}.norm.affine.{part}"] = torch.cat(maps)
    copy("recovery_up", "deconv_1.0")
    copy("recovery_last", "att_conv_1.conv.0")
    for number in range(refinements):
        copy(f"refinements.{number}.last", f"dec_ref{number}_1")
    return ours


def _filters(theirs: Mapping[str, Tensor], level: int) -> Tensor:
    """The 1×1 convolution that made filters, (Cin·k·k·Cout)×M and bias, as (M + 1)·Cout filters."""
    weight = theirs[f"filter_gen_{level}.conv1.0.weight"].flatten(1)
    bases = torch.cat([weight, theirs[f"filter_gen_{level}.conv1.0.bias"].unsqueeze(1)], dim=1)
    kernel = theirs[f"filter_gen_{level}.conv.0.weight"].shape[-1]
    out = theirs[f"enc_up_{level}.0.weight"].shape[1]
    bases = bases.view(-1, kernel, kernel, out, bases.shape[1])
    return bases.permute(4, 3, 0, 1, 2).flatten(0, 1)
