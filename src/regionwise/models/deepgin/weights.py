"""The checkpoint of the authors of DeepGIN (`latest_net_G.pth`)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import torch
from torch import Tensor

from regionwise.layers.pyramid_dilation import EIGHT_RATES, FOUR_RATES
from regionwise.models.checkpoint import Checkpoint

_PREFIXES = ("module.", "")
_MARK = "lr_coarse_tinker.1.weight"


def recognizes(weights: Mapping[str, Tensor]) -> bool:
    """Whether these are the authors' keys, plain or from several GPUs."""
    return any(prefix + _MARK in weights for prefix in _PREFIXES)


def convert(weights: Mapping[str, Tensor]) -> Checkpoint:
    """Our network with the authors' weights."""
    prefix = next(prefix for prefix in _PREFIXES if prefix + _MARK in weights)
    theirs = {
        key.removeprefix(prefix): value for key, value in weights.items() if key.startswith(prefix)
    }
    options = {"width": theirs[_MARK].shape[0]}
    ours = {}
    for target, *sources in _names():
        for part in ("weight", "bias"):
            found = [theirs.pop(f"{source}.{part}") for source in sources]
            ours[f"{target}.{part}"] = torch.cat(found) if len(found) > 1 else found[0]
    if theirs:
        raise KeyError(f"unknown key {next(iter(theirs))}")
    return Checkpoint("deepgin", options, ours)


def _names() -> Iterator[tuple[str, ...]]:
    """Each convolution of ours, and those of theirs of which it is made."""
    for level, place in enumerate((1, 4, 7, 10)):
        yield f"coarse.encoder.{level}", f"lr_coarse_tinker.{place}"
    for block in range(6):
        yield from _block(f"coarse.middle.{block}", f"lr_coarse_tinker.{12 + block}", EIGHT_RATES)
    for step, place in enumerate((20, 24, 28)):
        yield f"coarse.decoder.{step}", f"lr_coarse_tinker.{place}"
    yield "coarse.last", "lr_coarse_tinker.31"
    for level in range(5):
        yield f"refinement.encoder.{level}", f"r_en_conv{level + 1}"
    for place, number in ((0, 1), (1, 2), (2, 5), (4, 3), (5, 4), (6, 6)):
        yield from _block(f"refinement.middle.{place}", f"r_md_mres{number}", FOUR_RATES)
    yield from _attention("refinement.middle.3", "r_md_satn1")
    for step in range(4):
        yield f"refinement.decoder.{step}", f"r_de_conv{step + 1}"
    for step in range(2):
        yield f"refinement.skips.{step}.reduction", f"r_en_skp_conv{4 - step}"
        yield from _attention(f"refinement.skips.{step}.attention", f"r_de_satn{step + 2}")
        yield f"refinement.skips.{step}.mix", f"r_de_mix_conv{step + 1}"
    yield "refinement.last", "r_de_conv5"
    yield "refinement.low_resolution.0", "r_de_conv2_lr"
    yield "refinement.low_resolution.2", "r_de_conv3_lr"
    yield "back_projection.weight", "r_de_conv5_lr_alpha"


def _block(ours: str, theirs: str, rates: tuple[int, ...]) -> Iterator[tuple[str, ...]]:
    for branch in range(len(rates)):
        yield f"{ours}.branches.{branch}", f"{theirs}.branch{branch + 1}.conv"
    yield f"{ours}.fusion", f"{theirs}.fusion{len(rates) + 1}.conv"


def _attention(ours: str, theirs: str) -> Iterator[tuple[str, ...]]:
    yield f"{ours}.embedding", f"{theirs}.theta", f"{theirs}.phi", f"{theirs}.g"
    yield f"{ours}.output", f"{theirs}.W"
