"""Engines that answer with an earlier stage of a network: its coarse picture, as it was refined."""

from __future__ import annotations

from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

from regionwise.engines.engine import Device, Engine
from regionwise.engines.torch_engine import TorchEngine
from regionwise.errors import ModelError

LAST = -1
"""The stage that is the answer."""


def at_stage(
    engine: Engine, stage: int, device: Device = "auto", seed: int = 0, *, raw: bool = False
) -> Engine:
    """The engine whose answer is that stage of its network's.

    A file of ONNX holds the last stage alone, with the known pixels put back: for all else the
    network that it was exported from is opened with PyTorch.

    Args:
        engine: a model as `load_model` gives it.
        stage: 0 is the first, -1 the last.
        device, seed: of a network that has to be opened.
        raw: the answer's known pixels are to be the network's own.

    Raises:
        ModelError: if it has no such stage, is no network, or PyTorch is not there.
        CheckpointError: if the file does not say which network it was exported from.
    """
    file = engine.traits.file
    if stage == LAST and not (raw and file is not None and file.suffix == ".onnx"):
        return engine
    if isinstance(engine, TorchEngine):
        return engine.at_stage(stage)
    if file is None:
        raise ModelError("this model is no network and has no stages; leave `stage` out")
    if find_spec("torch") is None:
        raise ModelError(
            f'the network in {file.name} needs PyTorch; pip install "regionwise[train]"'
        )
    return _opened(file, file.stat().st_mtime_ns, device, seed).at_stage(stage)


@lru_cache(maxsize=1)
def _opened(file: Path, changed: int, device: Device, seed: int) -> TorchEngine:
    """The network of a file, opened once for all photos of a folder."""
    del changed  # another time of writing, another file
    from regionwise.checkpoints import load_checkpoint

    return TorchEngine(load_checkpoint(file).folded(), device, seed, file=file)
