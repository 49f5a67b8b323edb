"""Who is trained in a phase: each player with its network, optimiser and learning rate."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import torch
from lightning_fabric import Fabric
from torch import Tensor, nn

from regionwise.errors import RecipeError
from regionwise.recipe.schema import OptimizerSection
from regionwise.training.muon import Muon
from regionwise.training.timetable import Stretch


class Player:
    """A network that is trained in a phase, with its optimiser.

    Args:
        network: the bare network; those of its parameters are trained that want gradients.
        section: how.
        stretch: the phase; the learning rate depends on the place in it.
        fabric: wraps the network for several processes.
        compiled: whether to compile it.
        state: of the optimiser, to go on from; a fresh one if none.

    Attributes:
        wrapped: the network to be called.
    """

    def __init__(
        self,
        network: nn.Module,
        section: OptimizerSection,
        stretch: Stretch,
        fabric: Fabric,
        *,
        compiled: bool = False,
        state: Mapping[str, Any] | None = None,
    ) -> None:
        self.section, self.stretch, self.fabric = section, stretch, fabric
        self.optimizer = _optimizer(network, section)
        called: Any = torch.compile(network, dynamic=False) if compiled else network
        self.wrapped, self._stepped = fabric.setup(called, self.optimizer)
        if state is not None:
            self.optimizer.load_state_dict(dict(state))

    def forget_gradient(self) -> None:
        """Before a step."""
        self.optimizer.zero_grad(set_to_none=True)

    def move(self, step: int) -> Tensor:
        """Clip the gradient and step along it; gives its norm before."""
        for group in self.optimizer.param_groups:
            group["lr"] = self.stretch.rate(self.section, step)
        norm: Tensor = self.fabric.clip_gradients(  # type: ignore[assignment]
            self.wrapped,
            self._stepped,
            max_norm=self.section.clip or math.inf,
            error_if_nonfinite=False,
        )
        self._stepped.step()
        return norm


def choose_parts(
    network: nn.Module, trainable: list[nn.Parameter], parts: tuple[str, ...] | None
) -> list[nn.Module]:
    """Let these modules of the generator be trained, all if None; the others stand still.

    Raises:
        RecipeError: if the network has no such part.
    """
    chosen = [network]
    if parts is not None:
        try:
            chosen = [network.get_submodule(part) for part in parts]
        except AttributeError as error:
            raise RecipeError(f"parts: {error}") from error
    wanted = {parameter for part in chosen for parameter in part.parameters()}
    for parameter in trainable:
        parameter.requires_grad_(parameter in wanted)
    return chosen


def _optimizer(network: nn.Module, section: OptimizerSection) -> torch.optim.Optimizer:
    """Of the parameters that are trained."""
    parameters = [parameter for parameter in network.parameters() if parameter.requires_grad]
    lr, decay = section.lr, section.weight_decay
    if section.name == "adadelta":
        return torch.optim.Adadelta(parameters, lr=lr, weight_decay=decay)
    if section.name == "muon":
        return Muon(parameters, lr=lr, betas=section.betas, weight_decay=decay)
    return torch.optim.Adam(parameters, lr=lr, betas=section.betas, weight_decay=decay, fused=True)
