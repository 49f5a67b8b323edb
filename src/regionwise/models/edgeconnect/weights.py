"""The checkpoint of the authors of EdgeConnect, two files."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

from regionwise.models.checkpoint import Checkpoint
from regionwise.models.edgeconnect.card import CARD
from regionwise.models.parts import check_parts
from regionwise.models.spectral_norm import plain_weight

_NETWORKS = {"edge": "edge_network", "inpaint": "picture_network"}
_PREFIXES = ("edge.", "inpaint.", "module.", "")


def recognizes(weights: Mapping[str, Tensor]) -> bool:
    """Whether these are the authors' keys, of both networks or of one."""
    marks = ("encoder.1.bias", "decoder.7.bias")
    return any(all(prefix + mark in weights for mark in marks) for prefix in _PREFIXES)


def convert(weights: Mapping[str, Tensor]) -> Checkpoint:
    """Our network with the authors' weights, spectral normalisation worked into them.

    Edges are the released test's; with edges="mixed" those of training.
    """
    check_parts(weights, CARD.parts)
    ours = {}
    for part, network in _NETWORKS.items():
        theirs = {
            key.removeprefix(f"{part}."): value
            for key, value in weights.items()
            if key.startswith(f"{part}.")
        }
        blocks = len({key.split(".")[1] for key in theirs if key.startswith("middle.")})
        for target, source in _names(blocks):
            ours[f"{network}.{target}.weight"] = plain_weight(theirs, source)
            if f"{source}.bias" in theirs:
                ours[f"{network}.{target}.bias"] = theirs[f"{source}.bias"]
        options = {"width": theirs["decoder.7.weight"].shape[1], "blocks": blocks}
    return Checkpoint("edgeconnect", options, ours)


def _names(blocks: int) -> list[tuple[str, str]]:
    """Each layer of ours, and theirs."""
    encoder = [(str(3 * level), f"encoder.{1 + 3 * level}") for level in range(3)]
    middle = [
        (f"{9 + block}.conv{number}", f"middle.{block}.conv_block.{place}")
        for block in range(blocks)
        for number, place in ((1, 1), (2, 5))
    ]
    after = 9 + blocks
    decoder = [(str(after + place), f"decoder.{place}") for place in (0, 3)]
    return [*encoder, *middle, *decoder, (str(after + 6), "decoder.7")]
