"""The networks by name, found as folders of this package and of others: none is listed by hand.

A network is a folder with `card.py` (its `CARD`), `network.py` (the class that the card names) and,
where its authors have released weights, `weights.py` (a `WeightsReader`). Cards are read without
PyTorch.
"""

from __future__ import annotations

import warnings
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from inspect import signature
from pkgutil import iter_modules
from typing import TYPE_CHECKING, Any, cast, get_type_hints

import regionwise.models
from regionwise.errors import ModelError, RegionwiseError, RegionwiseWarning
from regionwise.models.card import NetworkCard
from regionwise.plugins import NETWORKS, load_plugin, plugins

if TYPE_CHECKING:
    from regionwise.models.network import InpaintingNetwork
    from regionwise.models.reader import WeightsReader


@cache
def _folders() -> dict[str, tuple[str, NetworkCard]]:
    """Each network's package and card, by the network's name."""
    packages = [
        f"{regionwise.models.__name__}.{module.name}"
        for module in iter_modules(regionwise.models.__path__)
        if module.ispkg
    ]
    cards = [
        (package, cast(NetworkCard, import_module(f"{package}.card").CARD))
        for package in packages
        if find_spec(f"{package}.card")  # what a family shares has none
    ]
    found = {card.name: (package, card) for package, card in sorted(cards)}
    return _foreign() | found


def _foreign() -> dict[str, tuple[str, NetworkCard]]:
    """The networks of other packages; one that can't be imported is told, and left out."""
    found = {}
    for name in plugins(NETWORKS):
        try:
            package = load_plugin(NETWORKS, name).__name__
            card = cast(NetworkCard, import_module(f"{package}.card").CARD)
            found[card.name] = (package, card)
        except (RegionwiseError, ImportError, AttributeError) as error:
            said = f"the network {name} of another package is left out: {error}"
            warnings.warn(said, RegionwiseWarning, stacklevel=2)
    return found


def model_names() -> list[str]:
    """The names that `create_model` knows, in their order."""
    return sorted(_folders())


def network_cards() -> list[NetworkCard]:
    """The cards of all networks, by name."""
    return [_folders()[name][1] for name in model_names()]


def network_card(name: str) -> NetworkCard:
    """The card of a network.

    Raises:
        ModelError: if there is no such network.
    """
    return _found(name)[1]


def network_class(name: str) -> type[InpaintingNetwork]:
    """The class of a network.

    Raises:
        ModelError: if there is no such network.
    """
    package, card = _found(name)
    module = import_module(f"{package}.network")
    return cast("type[InpaintingNetwork]", vars(module)[card.network])


def weights_readers() -> dict[str, WeightsReader]:
    """The readers of released weights, by the names of the networks that have some."""
    return {
        name: cast("WeightsReader", import_module(f"{package}.weights"))
        for name, (package, _) in sorted(_folders().items())
        if find_spec(f"{package}.weights")
    }


def create_model(name: str, **options: Any) -> InpaintingNetwork:
    """Build a network with fresh weights.

    Args:
        name: one of `model_names()`.
        options: the network's own, see its class.

    Raises:
        ModelError: for an unknown name or option, or an option of a wrong type.
    """
    network = network_class(name)
    known = signature(network).parameters
    if unknown := [option for option in options if option not in known]:
        raise ModelError(f"{name} has no option {unknown[0]!r}; there are: {', '.join(known)}")
    try:
        built = network(**options)
    except (TypeError, KeyError, ValueError) as error:
        mistyped = _mistyped(network, options)
        raise ModelError(f"{name}: {mistyped or error}") from error
    if mistyped := _mistyped(network, options):
        raise ModelError(f"{name}: {mistyped}")
    return built


def _found(name: str) -> tuple[str, NetworkCard]:
    if name not in _folders():
        there = ", ".join(model_names())
        raise ModelError(f"no network is called {name!r}; there are: {there}")
    return _folders()[name]


def _mistyped(network: type[InpaintingNetwork], options: dict[str, Any]) -> str:
    """The first option whose value is of another type than the network's class says, or nothing."""
    from pydantic import TypeAdapter, ValidationError

    hints = get_type_hints(network.__init__)
    for option, value in options.items():
        try:
            # A text stays a text: "64" is no number.
            TypeAdapter(hints[option]).validate_python(value, strict=isinstance(value, str))
        except ValidationError as error:
            return f"{option}={value!r}: {error.errors()[0]['msg'].lower()}"
    return ""
