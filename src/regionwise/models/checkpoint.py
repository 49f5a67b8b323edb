"""What every format of weights is read into."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from torch import Tensor

from regionwise.errors import CheckpointError, ModelError
from regionwise.models.network import InpaintingNetwork
from regionwise.models.registry import create_model


@dataclass(frozen=True)
class Checkpoint:
    """A network as data.

    Attributes:
        model: its name, see `regionwise.models.registry`.
        options: what `create_model` is given beside the name; plain data.
        weights: its state dict.
    """

    model: str
    options: dict[str, Any]
    weights: dict[str, Tensor]

    def network(self) -> InpaintingNetwork:
        """The network, in eval mode.

        Raises:
            CheckpointError: if there is no such network, or these are not its weights.
        """
        try:
            network = create_model(self.model, **self.options)
            network.load_state_dict(self.weights)
        except (ModelError, RuntimeError) as error:
            detail = " ".join(str(error).split())[:160]
            raise CheckpointError(
                f"the weights do not fit the network {self.model!r} ({detail})"
            ) from error
        return network.eval()
