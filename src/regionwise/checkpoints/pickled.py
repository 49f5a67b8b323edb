"""Weights out of pickled files, and nothing else: no code that a file holds is ever run.

A training's checkpoint may hold classes of the program that wrote it (Lightning's callbacks, a
configuration), and a TorchScript archive is a program with its weights. Both are read with
`weights_only=True`; in place of each class that PyTorch does not know stands one that keeps what is
stored and does nothing.
"""

from __future__ import annotations

import io
import zipfile
from collections import OrderedDict
from pathlib import Path
from typing import Any, BinaryIO

import torch
from torch import Tensor
from torch.serialization import get_unsafe_globals_in_checkpoint, safe_globals


class _Dictionary:
    """For what is stored by its keys or attributes."""

    def __new__(cls, *_: object, **__: object) -> OrderedDict[Any, Any]:  # type: ignore[misc]
        """PyTorch lets a file put keys into this kind alone."""
        return OrderedDict()


class _Nothing:
    """For what is stored in a way of its own."""

    def __init__(self, *_: object, **__: object) -> None:
        pass

    def __setstate__(self, state: object) -> None:
        pass


def read_pickled(file: Path) -> dict[str, Any]:
    """What a file of `torch.save` holds by its keys, or the weights of a TorchScript archive.

    Raises:
        ValueError: if it holds something else.
        Exception: PyTorch's, which have no class in common, if the file is broken.
    """
    if zipfile.is_zipfile(file):
        with zipfile.ZipFile(file) as archive:
            names = archive.namelist()
            if any(name.endswith("/constants.pkl") for name in names):
                return dict(_weights_of(_load(_without_code(archive)), ""))
    content = _load(file)
    if not isinstance(content, dict):
        raise ValueError("no dictionary of weights")
    return content


def _load(source: Path | BinaryIO) -> object:
    """Read a file as it is or, where it holds classes unknown to PyTorch, with stand-ins."""
    try:
        return _load_known(source)
    except Exception:
        for stand_in in (_Dictionary, _Nothing):
            try:
                unknown = get_unsafe_globals_in_checkpoint(_rewound(source))
                with safe_globals([(stand_in, name) for name in unknown]):
                    return _load_known(source)
            except Exception:  # the next one may fit; if none does the first error is told
                continue
        raise


def _load_known(source: Path | BinaryIO) -> object:
    content: object = torch.load(_rewound(source), map_location="cpu", weights_only=True)
    return content


def _rewound(source: Path | BinaryIO) -> Path | BinaryIO:
    if not isinstance(source, Path):
        source.seek(0)
    return source


def _without_code(archive: zipfile.ZipFile) -> BinaryIO:
    """The archive's weights alone, in the form of `torch.save`."""
    copy = io.BytesIO()
    with zipfile.ZipFile(copy, "w") as weights:
        for name in archive.namelist():
            inner = name.partition("/")[2]
            if inner in ("data.pkl", "version", "byteorder") or inner.startswith("data/"):
                weights.writestr(name, archive.read(name))
    return copy


def _weights_of(module: object, prefix: str) -> dict[str, Tensor]:
    """The tensors of a module and of those inside, by their names in a state dict."""
    if isinstance(module, Tensor):
        return {prefix: module}
    if not isinstance(module, OrderedDict):
        return {}
    weights: dict[str, Tensor] = {}
    for name, value in vars(module).items():
        weights |= _weights_of(value, f"{prefix}.{name}" if prefix else name)
    return weights
