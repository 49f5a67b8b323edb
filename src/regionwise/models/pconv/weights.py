"""The checkpoint of the known unofficial PConv U-Net (naoto0804's)."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

from regionwise.models.checkpoint import Checkpoint

_PREFIXES = ("module.", "")
_MARK = "enc_1.conv.input_conv.weight"


def recognizes(weights: Mapping[str, Tensor]) -> bool:
    """Whether these are its keys, plain or from several GPUs."""
    return any(prefix + _MARK in weights for prefix in _PREFIXES)


def convert(weights: Mapping[str, Tensor]) -> Checkpoint:
    """Our network with these weights.

    That program divides by the sum of the known, without the window's size: the weights differ from
    the paper's by this factor. The convolutions of its masks are all ones and left out.
    """
    prefix = next(prefix for prefix in _PREFIXES if prefix + _MARK in weights)
    theirs = {key.removeprefix(prefix): value for key, value in weights.items()}
    levels = sum(key.startswith("enc_") and key.endswith("input_conv.weight") for key in theirs)
    ours: dict[str, Tensor] = {}
    for level in range(1, levels + 1):
        homes = (
            (f"encoder.{level - 1}", f"enc_{level}"),
            (f"decoder.{levels - level}", f"dec_{level}"),
        )
        for home, source in homes:
            weight = theirs[f"{source}.conv.input_conv.weight"]
            ours[f"{home}.conv.conv.weight"] = weight / weight[0].numel()
            for key, value in theirs.items():
                if key.startswith(f"{source}.bn."):
                    ours[f"{home}.norm.{key.rpartition('.')[2]}"] = value
    ours[f"decoder.{levels - 1}.conv.bias"] = theirs["dec_1.conv.input_conv.bias"]
    return Checkpoint("pconv", {"width": theirs[_MARK].shape[0], "levels": levels}, ours)
