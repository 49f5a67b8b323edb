"""Which models there are, by name: the bundled networks and the classical methods."""

from __future__ import annotations

import os
import warnings
from difflib import get_close_matches
from importlib.util import find_spec
from pathlib import Path

from regionwise.engines.classical_engine import METHODS
from regionwise.engines.engine import DEVICES, Device, Engine, Traits
from regionwise.engines.onnx_engine import OnnxEngine
from regionwise.engines.words import WORDS, WordedEngine
from regionwise.errors import ModelError, RegionwiseWarning
from regionwise.weights import bundled
from regionwise.weights.card import ModelCard
from regionwise.weights.model_folder import ONNX, is_model_folder, read_configuration


def list_models() -> list[ModelCard]:
    """The cards of all models that have a name: the bundled ones first, then the classical."""
    classical = [
        ModelCard(
            name=name,
            title=method.title,
            paper=method.paper,
            licences={"code": method.licence},
            installed=method.installed,
            install=method.install,
            seeded=method.draws,
        )
        for name, method in METHODS.items()
    ]
    return bundled.bundled_cards() + classical


def load_model(
    name_or_file: str | os.PathLike[str] = "default",
    device: Device = "auto",
    *,
    seed: int = 0,
    threads: int | None = None,
) -> Engine:
    """Get a model ready to fill with.

    Args:
        name_or_file: a word of `WORDS`, a name of `list_models()`, `default`, or a file: `.onnx`,
            or weights that PyTorch reads (`.safetensors`, `.pt`, `.pth`, `.ckpt`), or the folder of
            a network that comes as several, or one that `regionwise export --folder` wrote.
        device: `auto` takes a GPU where there is one.
        seed: for networks that draw numbers while they fill.
        threads: of an ONNX network on the processor; as many as this process may use if not given.

    Raises:
        ModelError: if there is no such model, or what it needs is not installed.
        CheckpointError: if the file is broken or foreign; for ONNX at the first fill.
    """
    if device not in DEVICES:
        raise ModelError(f"there is no device {device!r}; give {', '.join(DEVICES)}")
    if threads is not None and (not isinstance(threads, int) or threads < 1):
        raise ModelError(f"threads can't be {threads!r}; give a whole number from 1 on")
    if not isinstance(seed, int) or not 0 <= seed < 2**63:
        raise ModelError(f"the seed {seed!r} is not a whole number from 0 to 2**63 - 1")
    name = os.fspath(name_or_file)
    if name in WORDS:
        network = load_model(WORDS[name].model, device, seed=seed, threads=threads)
        return WordedEngine(network, name)
    if name == "default":
        name = _default_name()
    if name in METHODS:
        method = METHODS[name]
        return method.create(seed=seed) if method.draws else method.create()
    return _load_file(bundled.weights_file(name), name, device, seed, threads)


def _default_name() -> str:
    if (bundled.FOLDER / f"{bundled.DEFAULT}.onnx").is_file():
        return bundled.DEFAULT
    warnings.warn(
        "no network is bundled with this copy of regionwise: filling with the membrane, "
        "which is smooth and has no texture",
        RegionwiseWarning,
        stacklevel=3,
    )
    return "membrane"


def _load_file(file: Path, name: str, device: Device, seed: int, threads: int | None) -> Engine:
    if file == Path() or not file.exists():
        if file.suffix:
            raise ModelError(f"there is no model file {file}; check the name")
        from regionwise.models.registry import model_names

        if name in model_names():
            raise ModelError(f"{name} comes without weights; give the file that holds them")
        names = [*WORDS, "default", *(card.name for card in list_models())]
        alike = get_close_matches(str(file).lower(), names, 1)
        guess = f"did you mean {alike[0]}? There are" if alike else "give one of"
        raise ModelError(
            f"there is no model {name or 'without a name'}; {guess} {', '.join(names)}, "
            "or a file of weights"
        )
    texture = 0.0
    if is_model_folder(file):
        texture = read_configuration(file).texture
        file = file / ONNX if (file / ONNX).is_file() else file
    if file.suffix.lower() == ".onnx":
        if file.parent != bundled.FOLDER:
            traits = Traits(detail="judged" if texture else "never", texture=texture)
            return OnnxEngine(file, device, seed, traits=traits, threads=threads)
        texture = bundled.read_card(file.with_suffix(".json")).texture
        traits = Traits(detail="judged", texture=texture)
        return OnnxEngine(file, device, seed, traits=traits, threads=threads)
    if find_spec("torch") is None:
        raise ModelError(f'{file} needs PyTorch; pip install "regionwise[train]"')
    from regionwise.checkpoints import load_checkpoint
    from regionwise.engines.torch_engine import TorchEngine

    return TorchEngine(load_checkpoint(file).folded(), device, seed, file=file)
