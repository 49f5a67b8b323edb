"""What a network offers that can move its batch normalisations into its convolutions."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from torch import nn


@runtime_checkable
class Foldable(Protocol):
    """In eval mode a batch normalisation is a scale and a bias, which a convolution can take over.

    Networks that have both side by side implement this (MADF); others need nothing.
    """

    def fold_norms(self) -> None:
        """Move the norms into the convolutions before them, in place; all weights keep names."""

    def folded(self) -> nn.Module:
        """A copy for inference alone, without batch normalisations."""
