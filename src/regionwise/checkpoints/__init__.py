"""Weights in and out: safetensors, and the authors' formats."""

from regionwise.checkpoints.official import from_official
from regionwise.checkpoints.store import load_checkpoint, save_checkpoint

__all__ = ["from_official", "load_checkpoint", "save_checkpoint"]
