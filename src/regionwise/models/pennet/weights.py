"""The checkpoint of the authors of PEN-Net (`gen_N.pth`)."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

from regionwise.models.checkpoint import Checkpoint

_PREFIXES = ("module.", "")
_MARK = "dw_conv01.0.weight"


def recognizes(weights: Mapping[str, Tensor]) -> bool:
    """Whether these are the authors' keys, plain or from several GPUs."""
    return any(prefix + _MARK in weights for prefix in _PREFIXES)


def convert(weights: Mapping[str, Tensor]) -> Checkpoint:
    """Our network with the authors' weights."""
    prefix = next(prefix for prefix in _PREFIXES if prefix + _MARK in weights)
    names = {f"encoder.{level}": f"dw_conv0{level + 1}.0" for level in range(6)}
    for level in range(4):
        for branch in range(4):
            names[f"context.{level}.{branch}"] = f"at_conv0{level + 1}.conv0{branch}.0"
    for step in range(5):
        names[f"decoder.{step}"] = f"up_conv0{5 - step}.0"
        names[f"pictures.{step}"] = f"torgb{5 - step}.0"
    names |= {"last.0": "decoder.0", "last.2": "decoder.2"}
    ours = {
        f"{target}.{part}": weights[f"{prefix}{source}.{part}"]
        for target, source in names.items()
        for part in ("weight", "bias")
    }
    return Checkpoint("pennet", {"width": ours["encoder.0.weight"].shape[0]}, ours)
