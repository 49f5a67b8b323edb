"""Weights in and out: safetensors, and the authors' formats."""

from regionwise.checkpoints.official import from_official
from regionwise.checkpoints.store import load_checkpoint, read_checkpoint, save_checkpoint
from regionwise.models.checkpoint import Checkpoint

__all__ = ["Checkpoint", "from_official", "load_checkpoint", "read_checkpoint", "save_checkpoint"]
