"""Averaged weights: what is kept and shown in the end."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn


class ExponentialAverage:
    """A slowly following copy of a network's weights: average ← decay · average + (1 − decay) · w.

    The decay starts small, (1 + t)/(10 + t), so that the first random weights are soon forgotten.
    A decay of 0 makes it the weights themselves.
    """

    def __init__(self, network: nn.Module, decay: float) -> None:
        self.decay = decay
        self.updates = 0
        self.weights = {key: value.detach().clone() for key, value in network.state_dict().items()}

    @torch.no_grad()
    def update(self, network: nn.Module) -> None:
        """Follow the network's present weights."""
        self.updates += 1
        decay = min(self.decay, (1 + self.updates) / (10 + self.updates))
        for key, value in network.state_dict().items():
            if decay and value.dtype.is_floating_point:
                self.weights[key].lerp_(value, 1 - decay)
            else:
                self.weights[key].copy_(value)

    @contextmanager
    def shown_in(self, network: nn.Module) -> Iterator[nn.Module]:
        """The network in eval mode with the averaged weights; afterwards as it was."""
        own = {key: value.detach().clone() for key, value in network.state_dict().items()}
        training = network.training
        network.load_state_dict(self.weights)
        network.eval()
        try:
            yield network
        finally:
            network.load_state_dict(own)
            network.train(training)
