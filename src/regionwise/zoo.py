"""Which models there are: the bundled ones with their cards, and the classical methods.

A bundled model is `weights/NAME.onnx` and beside it its card, `weights/NAME.json`.
"""

from __future__ import annotations

import json
import os
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from difflib import get_close_matches
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from regionwise import engines
from regionwise.engines import Device, Engine
from regionwise.errors import CheckpointError, ModelError, RegionwiseWarning
from regionwise.networks import NETWORKS
from regionwise.texture import TexturedEngine

WEIGHTS = Path(__file__).parent / "weights"

DEFAULT = "madf"
"""The bundled model that the name `default` stands for."""


@dataclass(frozen=True)
class ModelCard:
    """What a user should know of a model before using it.

    Attributes:
        name: what `--model` takes.
        title: what it is, in a line.
        size: bytes of its weights; 0 for a classical method.
        paper: authors, title, venue and year.
        licences: of its `code`, its `weights` and the `data` that these were trained on.
        texture: strength of the texture that its fills are given, see `regionwise.texture`.
        measured: rows of numbers, each with the `command` that made it.
        installed: whether it runs here.
        install: the command that installs what it lacks.
        seeded: whether it draws numbers, so that the seed changes its fills.
    """

    name: str
    title: str
    paper: str
    licences: dict[str, str]
    size: int = 0
    texture: float = 0
    measured: list[dict[str, Any]] = field(default_factory=list)
    installed: bool = True
    install: str = ""
    seeded: bool = False


@dataclass(frozen=True)
class _Classical:
    create: Callable[..., Engine]
    title: str
    paper: str
    licence: str
    library: str = ""
    install: str = ""
    draws: bool = False
    """Whether it draws numbers: `create` takes a seed."""


_OPENCV: dict[str, Any] = {
    "licence": "Apache-2.0",
    "library": "cv2",
    "install": "pip install opencv-python-headless",
}
_CLASSICAL = {
    "membrane": _Classical(
        engines.MembraneEngine,
        "smooth continuation of the border, in milliseconds",
        "Gortler et al., The Lumigraph, SIGGRAPH 1996 (push-pull pyramid)",
        "Apache-2.0",
    ),
    "patchmatch": _Classical(
        engines.patchmatch,
        "patches of the known region, sharp and textured; seconds for a large hole",
        "Wexler et al., Space-Time Completion of Video, 2007; Barnes et al., PatchMatch, 2009",
        "Apache-2.0",
        draws=True,
    ),
    "telea": _Classical(
        engines.telea,
        "fast marching from the border inwards",
        "Telea, An Image Inpainting Technique Based on the Fast Marching Method, 2004",
        **_OPENCV,
    ),
    "navier-stokes": _Classical(
        engines.navier_stokes,
        "lines of equal light carried into the hole",
        "Bertalmio, Bertozzi and Sapiro, Navier-Stokes, Fluid Dynamics, and Image Inpainting, 2001",
        **_OPENCV,
    ),
    "biharmonic": _Classical(
        engines.biharmonic,
        "smooth surface through the border; slow for large holes",
        "Damelin and Hoang, On Surface Completion and Image Inpainting, 2018",
        "BSD-3-Clause",
        "skimage",
        "pip install scikit-image",
    ),
}


def list_models() -> list[ModelCard]:
    """The cards of all models that have a name: the bundled ones first, then the classical."""
    bundled = [_read_card(file) for file in sorted(WEIGHTS.glob("*.json"))]
    classical = [
        ModelCard(
            name=name,
            title=method.title,
            paper=method.paper,
            licences={"code": method.licence},
            installed=not method.library or find_spec(method.library) is not None,
            install=method.install,
            seeded=method.draws,
        )
        for name, method in _CLASSICAL.items()
    ]
    return bundled + classical


def _read_card(file: Path) -> ModelCard:
    try:
        card = ModelCard(**json.loads(file.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError) as error:
        raise CheckpointError(
            f"{file} is no model card ({error}); install regionwise anew"
        ) from error
    return card


def load_model(
    name_or_file: str | os.PathLike[str] = "default", device: Device = "auto", *, seed: int = 0
) -> Engine:
    """Get a model ready to fill with.

    Args:
        name_or_file: a name of `list_models()`, `default`, or a file: `.onnx`, or weights that
            PyTorch reads (`.safetensors`, `.pt`, `.pth`, `.ckpt`), or the folder of a network that
            comes as several.
        device: `auto` takes a GPU where there is one.
        seed: for networks that draw numbers while they fill.

    Raises:
        ModelError: if there is no such model, or what it needs is not installed.
        CheckpointError: if the file is broken or foreign; for ONNX at the first fill.
    """
    if device not in engines.DEVICES:
        raise ModelError(f"there is no device {device!r}; give {', '.join(engines.DEVICES)}")
    if not isinstance(seed, int) or not 0 <= seed < 2**63:
        raise ModelError(f"the seed {seed!r} is no whole number from 0 to 2**63 - 1")
    name = os.fspath(name_or_file)
    if name == "default":
        name = _default_name()
    if name in _CLASSICAL:
        method = _CLASSICAL[name]
        return method.create(seed=seed) if method.draws else method.create()
    file = weights_file(name)
    engine = _load_file(file, name, device, seed)
    if file.parent == WEIGHTS:
        strength = _read_card(file.with_suffix(".json")).texture
        engine = TexturedEngine(engine, strength) if strength else engine
    return engine


def weights_file(name_or_file: str | os.PathLike[str]) -> Path:
    """The file of a bundled model, or the file itself; for `checkpoints.read_checkpoint`."""
    name = os.fspath(name_or_file)
    bundled = WEIGHTS / f"{DEFAULT if name == 'default' else name}.onnx"
    return bundled if bundled.parent == WEIGHTS and bundled.is_file() else Path(name)


def _default_name() -> str:
    if (WEIGHTS / f"{DEFAULT}.onnx").is_file():
        return DEFAULT
    warnings.warn(
        "no network is bundled with this copy of regionwise: filling with the membrane, "
        "which is smooth and has no texture",
        RegionwiseWarning,
        stacklevel=3,
    )
    return "membrane"


def _load_file(file: Path, name: str, device: Device, seed: int) -> Engine:
    if file == Path() or not file.exists():
        if file.suffix:
            raise ModelError(f"there is no model file {file}; check the name")
        if any(name == network.name for network in NETWORKS):
            raise ModelError(f"{name} comes without weights; give the file that holds them")
        names = ["default", *(card.name for card in list_models())]
        alike = get_close_matches(str(file).lower(), names, 1)
        guess = f"did you mean {alike[0]}? There are" if alike else "give one of"
        raise ModelError(
            f"there is no model {name or 'without a name'}; {guess} {', '.join(names)}, "
            "or a file of weights"
        )
    if file.suffix.lower() == ".onnx":
        # The bundled network fills as fast without the optimisations that take long.
        return engines.OnnxEngine(file, device, seed, quick_to_open=file.parent == WEIGHTS)
    if find_spec("torch") is None:
        raise ModelError(f'{file} needs PyTorch; pip install "regionwise[train]"')
    from regionwise.checkpoints import load_checkpoint
    from regionwise.models.foldable import Foldable

    network = load_checkpoint(file)
    network = network.folded() if isinstance(network, Foldable) else network
    return engines.TorchEngine(network, device, seed)
