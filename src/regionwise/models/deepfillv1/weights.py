"""Checkpoints of DeepFill v1: the authors' (TensorFlow), and a PyTorch port's."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

from regionwise.models.checkpoint import Checkpoint
from regionwise.models.deepfill import formats


def recognizes(weights: Mapping[str, Tensor]) -> bool:
    """Whether these are keys of the authors (variables by name, with or without ":0") or a port."""
    return formats.version(weights) == 1


def convert(weights: Mapping[str, Tensor]) -> Checkpoint:
    """Our network with these weights, in the graph that `formats.converted` chooses."""
    return formats.converted(weights, 1)
