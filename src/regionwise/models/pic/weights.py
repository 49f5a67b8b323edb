"""The checkpoint of the authors of PIC, two files."""

from __future__ import annotations

from collections.abc import Mapping

import torch.nn.functional as F
from torch import Tensor

from regionwise.models.checkpoint import Checkpoint
from regionwise.models.parts import check_parts
from regionwise.models.pic.card import CARD

_MARKS = ("infer_prior0.conv1.module.weight_bar", "attn1.gamma")


def recognizes(weights: Mapping[str, Tensor]) -> bool:
    """Whether these are the authors' keys, of both networks or of one."""
    prefixes = ("E.", "G.", "module.", "")
    return any(prefix + mark in weights for prefix in prefixes for mark in _MARKS)


def convert(weights: Mapping[str, Tensor]) -> Checkpoint:
    """Our network with the authors' weights, spectral normalisation worked into them.

    Theirs iterates at each call, in use too, so that its answer changes from call to call; ours is
    that of the first call.
    """
    check_parts(weights, CARD.parts)
    ours = {}
    for target, source in _names().items():
        ours[f"{target}.weight"] = _weight(weights, source)
        ours[f"{target}.bias"] = weights[_bias(weights, source)]
    for scale in ("gamma", "alpha"):
        ours[f"attention.{scale}"] = weights[f"G.attn1.{scale}"]
    return Checkpoint("pic", {"width": ours["encoder.0.conv1.weight"].shape[0]}, ours)


def _weight(weights: Mapping[str, Tensor], layer: str) -> Tensor:
    """W / σ after one step of the power iteration; rows are W's first dimension, always."""
    bar = weights.get(f"{layer}.module.weight_bar")
    if bar is None:
        return weights[f"{layer}.weight"]
    matrix = bar.flatten(1)
    v = F.normalize(matrix.T @ weights[f"{layer}.module.weight_u"], dim=0)
    u = F.normalize(matrix @ v, dim=0)
    return bar / (u @ matrix @ v)


def _bias(weights: Mapping[str, Tensor], layer: str) -> str:
    plain = f"{layer}.bias"
    return plain if plain in weights else f"{layer}.module.bias"


def _names() -> dict[str, str]:
    """Each layer of ours, and theirs."""
    blocks = {"encoder.0": "E.block0", "prior.6": "E.prior", "content": "G.generator"}
    blocks |= {f"encoder.{level + 1}": f"E.encoder{level}" for level in range(4)}
    blocks |= {f"prior.{step}": f"E.infer_prior{step}" for step in range(6)}
    blocks |= {f"decoder.{step}": f"G.decoder{step}" for step in range(5)}
    blocks["join"] = "G.attn1.model"
    names = {
        f"{target}.{part}": f"{source}.{part}"
        for target, source in blocks.items()
        for part in ("conv1", "conv2", "bypass")
    }
    for step in range(5):
        names[f"decoder.{step}.norm1"] = f"G.decoder{step}.model.0"
        names[f"decoder.{step}.norm2"] = f"G.decoder{step}.model.3"
    names |= {f"pictures.{scale}": f"G.out{scale + 1}.conv1" for scale in range(4)}
    return names | {"attention.query": "G.attn1.query_conv"}
