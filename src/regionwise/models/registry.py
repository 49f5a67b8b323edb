"""Networks by name."""

from __future__ import annotations

from importlib import import_module
from inspect import signature
from typing import Any, get_type_hints

from pydantic import TypeAdapter, ValidationError

from regionwise.errors import ModelError
from regionwise.models.network import InpaintingNetwork

_HOMES = {
    "aotgan": ("regionwise.models.aotgan", "AggregatedTransformGenerator"),
    "deepfillv1": ("regionwise.models.deepfill", "DeepFillV1Generator"),
    "deepfillv2": ("regionwise.models.deepfill", "DeepFillV2Generator"),
    "deepgin": ("regionwise.models.deepgin", "DeepGinGenerator"),
    "edgeconnect": ("regionwise.models.edgeconnect", "EdgeConnectGenerator"),
    "glcic": ("regionwise.models.glcic", "CompletionGenerator"),
    "lbam": ("regionwise.models.lbam", "BidirectionalAttentionGenerator"),
    "madf": ("regionwise.models.madf", "CascadedRefinementGenerator"),
    "pconv": ("regionwise.models.pconv", "PartialConvGenerator"),
    "pennet": ("regionwise.models.pennet", "PyramidContextGenerator"),
    "pic": ("regionwise.models.pic", "PluralisticGenerator"),
    "region-wise": ("regionwise.models.region_wise", "RegionWiseGenerator"),
    "rn": ("regionwise.models.rn", "RegionNormGenerator"),
    "structureflow": ("regionwise.models.structureflow", "StructureFlowGenerator"),
}


def model_names() -> list[str]:
    """The names that `create_model` knows."""
    return sorted(_HOMES)


def create_model(name: str, **options: Any) -> InpaintingNetwork:
    """Build a network with fresh weights.

    Args:
        name: one of `model_names()`.
        options: the network's own, see its class.

    Raises:
        ModelError: for an unknown name or option.
    """
    if name not in _HOMES:
        raise ModelError(f"no network is called {name!r}; there are: {', '.join(model_names())}")
    module, cls = _HOMES[name]
    home = getattr(import_module(module), cls)
    known = signature(home).parameters
    if unknown := [option for option in options if option not in known]:
        raise ModelError(f"{name} has no option {unknown[0]!r}; there are: {', '.join(known)}")
    try:
        network: InpaintingNetwork = home(**options)
    except (TypeError, KeyError, ValueError) as error:
        mistyped = _mistyped(get_type_hints(home.__init__), options)
        raise ModelError(f"{name}: {mistyped or error}") from error
    return network


def _mistyped(hints: dict[str, Any], options: dict[str, Any]) -> str:
    """The first option whose value is of another type than the network's class says, or nothing."""
    for option, value in options.items():
        try:
            TypeAdapter(hints[option]).validate_python(value)
        except ValidationError as error:
            return f"{option}={value!r}: {error.errors()[0]['msg'].lower()}"
    return ""
