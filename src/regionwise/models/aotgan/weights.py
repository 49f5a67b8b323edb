"""The checkpoint of the authors of AOT-GAN (`G*.pt`)."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

from regionwise.models.checkpoint import Checkpoint

_PREFIXES = ("module.", "")
_MARK = "middle.0.block00.1.weight"


def recognizes(weights: Mapping[str, Tensor]) -> bool:
    """Whether these are the authors' keys, plain or from several GPUs."""
    return any(prefix + _MARK in weights for prefix in _PREFIXES)


def convert(weights: Mapping[str, Tensor]) -> Checkpoint:
    """Our network with the authors' weights."""
    prefix = next(prefix for prefix in _PREFIXES if prefix + _MARK in weights)
    theirs = {key.removeprefix(prefix): value for key, value in weights.items()}
    blocks = len({key.split(".")[1] for key in theirs if key.startswith("middle.")})
    names = {f"encoder.{level}": f"encoder.{1 + 2 * level}" for level in range(3)}
    for block in range(blocks):
        for branch in range(4):
            names[f"middle.{block}.branches.{branch}"] = f"middle.{block}.block0{branch}.1"
        for part in ("fuse", "gate"):
            names[f"middle.{block}.{part}"] = f"middle.{block}.{part}.1"
    names |= {"decoder.0": "decoder.0.conv", "decoder.1": "decoder.2.conv", "last": "decoder.4"}
    ours = {
        f"{target}.{part}": theirs[f"{source}.{part}"]
        for target, source in names.items()
        for part in ("weight", "bias")
    }
    width = ours["encoder.0.weight"].shape[0]
    return Checkpoint("aotgan", {"width": width, "blocks": blocks}, ours)
