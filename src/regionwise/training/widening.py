"""A wider MADF that begins with what a narrower one computes, after Net2Net (Chen et al. 2016).

The channels of the narrower network come first in each layer. The new ones are drawn as in a fresh
network, and nothing that was there before reads them: so the wider network computes the same, and
learns from its first step on to read them.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from regionwise.checkpoints import Checkpoint
from regionwise.models.madf.network import CascadedRefinementGenerator
from regionwise.recipe.schema import ModelSection


def is_narrower(checkpoint: Checkpoint, model: ModelSection) -> bool:
    """Whether the checkpoint is of the recipe's MADF with a smaller width and nothing else."""
    ours, theirs = dict(model.options), dict(checkpoint.options)
    narrower = theirs.pop("width", 64) < ours.pop("width", 64)
    both_madf = checkpoint.model == model.name == "madf"
    return both_madf and narrower and ours == theirs and "encoder" not in ours


@torch.no_grad()
def load_narrower(network: CascadedRefinementGenerator, weights: Mapping[str, Tensor]) -> None:
    """Give the network the weights of a narrower one with mask-aware filters, see the module.

    Args:
        network: freshly made; changed in place.
        weights: state dict of a network with the same options but a smaller width.

    Raises:
        RuntimeError: if these are not such a network's weights.
    """
    wide = network.state_dict()
    if wide.keys() != weights.keys():
        raise RuntimeError("these are the weights of another network")
    features = weights["recovery_up.weight"].shape[0]
    for name, ours in wide.items():
        theirs = weights[name]
        if theirs.dim() == 0:
            ours.copy_(theirs)
            continue
        if ".up.weight" in name or name == "recovery_up.weight":  # transposed: inputs come first
            ours, theirs = ours.transpose(0, 1), theirs.transpose(0, 1)
        outputs = _places(theirs.shape[0], ours.shape[0], _blocks(name, network))
        if theirs.dim() == 1:
            ours[outputs] = theirs
            continue
        if name.endswith(".last.weight"):  # the decoder's own features, then pictures
            known = torch.arange(features - theirs.shape[1], 0) + ours.shape[1]
            inputs = torch.cat([torch.arange(features), known])
        else:
            inputs = _places(theirs.shape[1], ours.shape[1], 2 if ".fuse." in name else 1)
        ours[outputs] = 0
        ours[outputs[:, None], inputs] = theirs


def _blocks(name: str, network: CascadedRefinementGenerator) -> int:
    """Into how many equal parts the outputs of a layer fall."""
    if ".affine." in name:  # scale and bias
        return 2
    if name.startswith("encoder.levels.") and "mask_conv" not in name:  # a filter for each feature
        return network.encoder.levels[0].mask_conv.out_channels + 1  # type: ignore[union-attr, operator, return-value]
    return 1


def _places(narrow: int, wide: int, blocks: int) -> Tensor:
    """Where the narrower layer's channels lie in the wider one: first in each block."""
    starts = torch.arange(blocks) * (wide // blocks)
    return (starts[:, None] + torch.arange(narrow // blocks)).flatten()
