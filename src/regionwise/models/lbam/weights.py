"""The checkpoint of the authors of LBAM (`LBAM_N.pth`)."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

from regionwise.models.checkpoint import Checkpoint

_PREFIXES = ("module.", "")
_MARK = "ec1.conv.maskConv.weight"
_NUMBERS = {"a": "peak", "mu": "centre", "sigma1": "left", "sigma2": "right"}


def recognizes(weights: Mapping[str, Tensor]) -> bool:
    """Whether these are the authors' keys, plain or from several GPUs."""
    return any(prefix + _MARK in weights for prefix in _PREFIXES)


def convert(weights: Mapping[str, Tensor]) -> Checkpoint:
    """Our network with the authors' weights."""
    prefix = next(prefix for prefix in _PREFIXES if prefix + _MARK in weights)
    theirs = {key.removeprefix(prefix): value for key, value in weights.items()}
    levels = sum(key.endswith(".conv.maskConv.weight") for key in theirs)
    ours: dict[str, Tensor] = {}
    for level in range(1, levels + 1):
        home, source = f"encoder.{level - 1}", f"ec{level}.conv"
        ours[f"{home}.conv.weight"] = theirs[f"{source}.conv.weight"]
        maps = [(f"{home}.map", source, "maskConv")]
        if level < levels:
            maps.append((f"reverse.{level - 1}", f"reverseConv{level}", "reverseMaskConv"))
        for target, origin, convolution in maps:
            ours[f"{target}.conv.weight"] = theirs[f"{origin}.{convolution}.weight"]
            for their_name, name in _NUMBERS.items():
                number = theirs[f"{origin}.activationFuncG_A.{their_name}"]
                ours[f"{target}.activation.{name}"] = number.reshape(())
        last = "" if level == levels else ".conv"
        ours[f"decoder.{level - 1}.weight"] = theirs[f"dc{level}{last}.weight"]
    return Checkpoint("lbam", {"width": theirs[_MARK].shape[0], "levels": levels}, ours)
