"""The checkpoint of the known unofficial GLCIC (otenim's completion network)."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

from regionwise.models.checkpoint import Checkpoint

_PREFIXES = ("module.", "")
_MARKS = ("deconv13.weight", "bn16.running_mean")


def recognizes(weights: Mapping[str, Tensor]) -> bool:
    """Whether these are its keys, plain or from several GPUs."""
    return any(all(prefix + mark in weights for mark in _MARKS) for prefix in _PREFIXES)


def convert(weights: Mapping[str, Tensor]) -> Checkpoint:
    """Our network with these weights.

    The colour of holes lies in another file (`mpv` in `config.json`): give it as the option
    `mean_color`, or as an array `mpv` among the weights.
    """
    prefix = next(prefix for prefix in _PREFIXES if prefix + _MARKS[0] in weights)
    theirs = {key.removeprefix(prefix): value for key, value in weights.items()}
    options: dict[str, object] = {"width": theirs["conv1.weight"].shape[0]}
    if "mpv" in theirs:
        options["mean_color"] = theirs.pop("mpv").flatten().tolist()
    ours = {}
    for key, value in theirs.items():
        layer, _, part = key.partition(".")
        number = int(layer.lstrip("abcdefghijklmnopqrstuvwxyz"))
        kind = "norm" if layer.startswith("bn") else "conv"
        ours[f"last.{part}" if number == 17 else f"layers.{number - 1}.{kind}.{part}"] = value
    return Checkpoint("glcic", options, ours)
