"""regionwise: fill holes in photos with networks that know where the hole is.

The names below are the whole public surface of the core tier. They are loaded on first use, so
`import regionwise` takes no longer than a blink and never imports PyTorch or ONNX Runtime.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from regionwise.engines.zoo import list_models, load_model
    from regionwise.errors import RegionwiseError
    from regionwise.filling.fill import fill
    from regionwise.models.prediction import Prediction, compose
    from regionwise.models.registry import create_model

_HOMES = {
    "fill": "regionwise.filling.fill",
    "list_models": "regionwise.engines.zoo",
    "load_model": "regionwise.engines.zoo",
    "create_model": "regionwise.models.registry",
    "compose": "regionwise.models.prediction",
    "Prediction": "regionwise.models.prediction",
    "RegionwiseError": "regionwise.errors",
}

__all__ = [
    "Prediction",
    "RegionwiseError",
    "compose",
    "create_model",
    "fill",
    "list_models",
    "load_model",
]


def __getattr__(name: str) -> Any:
    """Import a public name from its home when it is first asked for (PEP 562)."""
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'regionwise' has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(home), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
