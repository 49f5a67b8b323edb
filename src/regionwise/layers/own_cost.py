"""How a layer says what it costs where its convolutions can't tell."""

from __future__ import annotations

from typing import Any, Protocol, runtime_checkable


@runtime_checkable
class OwnCost(Protocol):
    """A layer that computes with weights or maps which are no module's own.

    `regionwise.models.cost` counts convolutions and linear maps by themselves, those inside of such
    a layer too.
    """

    def multiply_accumulates(self, inputs: tuple[Any, ...], output: Any) -> int:
        """Those of one call by the paper's equations, beyond those of the modules that it calls.

        Args:
            inputs, output: of `forward`.
        """
        ...
