"""The weights with which a network begins."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import torch
from torch import nn

from regionwise.checkpoints import read_checkpoint
from regionwise.errors import CheckpointError
from regionwise.models.madf.network import CascadedRefinementGenerator
from regionwise.models.registry import create_model
from regionwise.recipe.schema import InitializationSection, Recipe
from regionwise.training.widening import is_narrower, load_narrower


def create_generator(recipe: Recipe) -> nn.Module:
    """The recipe's network with the weights it begins with.

    A narrower MADF's are widened, see `regionwise.training.widening`.

    Raises:
        CheckpointError: if the initial weights are missing or another network's.
    """
    network = create_model(recipe.model.name, **recipe.model.options)
    initialize(network, recipe.initialization)
    if recipe.initial_weights is not None:
        checkpoint = read_checkpoint(Path(recipe.initial_weights))
        try:
            if is_narrower(checkpoint, recipe.model):
                load_narrower(cast(CascadedRefinementGenerator, network), checkpoint.weights)
            else:
                network.load_state_dict(checkpoint.weights)
        except RuntimeError as error:
            raise CheckpointError(
                f"{recipe.initial_weights}: the weights are of a {checkpoint.model} with options "
                f"{checkpoint.options}, not of the recipe's {recipe.model.name} with "
                f"{recipe.model.options}"
            ) from error
    return network


@torch.no_grad()
def initialize(network: nn.Module, section: InitializationSection) -> None:
    """Draw the kernels of all convolutions again, unless they are to stay the network's own.

    A kernel is a weight of four dimensions, whatever layer it belongs to.
    """
    if section.name == "own":
        return
    for module in network.modules():
        weight, bias = (module._parameters.get(name) for name in ("weight", "bias"))
        if weight is None or weight.dim() != 4:
            continue
        if section.name == "pytorch":
            nn.init.kaiming_uniform_(weight, a=5**0.5)
            if bias is not None:
                reach = weight[0].numel() ** -0.5
                nn.init.uniform_(bias, -reach, reach)
            continue
        if section.name == "normal":
            nn.init.normal_(weight, 0.0, section.std)
        elif section.name == "kaiming":
            nn.init.kaiming_normal_(weight).mul_(section.gain)
        else:
            nn.init.xavier_normal_(weight, section.gain)
        if bias is not None:
            nn.init.zeros_(bias)
