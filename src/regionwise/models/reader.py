"""What every `weights.py` is: a reader of the weights that a network was released with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol, runtime_checkable

from torch import Tensor

from regionwise.models.checkpoint import Checkpoint


@runtime_checkable
class WeightsReader(Protocol):
    """A module with these two functions.

    Where a network comes as several files (`parts` of its card), the keys of each file begin with
    its part's name; `regionwise.models.parts` has what such readers share.
    """

    def recognizes(self, weights: Mapping[str, Tensor]) -> bool:
        """Whether the keys are those of this network's released weights, complete or not."""
        ...

    def convert(self, weights: Mapping[str, Tensor]) -> Checkpoint:
        """Our network with these weights.

        Raises:
            KeyError, RuntimeError, IndexError: if they are incomplete.
            MissingPartError: if a file of several is missing.
        """
        ...
