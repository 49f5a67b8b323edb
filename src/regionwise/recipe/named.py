"""What a recipe names: classes and functions by where they are, made with a recipe's options."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from inspect import signature
from typing import Any

from regionwise.errors import RecipeError
from regionwise.recipe.complaints import suggestion


def import_named(home: str) -> Any:
    """The class or function at "module:name"."""
    module, name = home.split(":")
    return getattr(import_module(module), name)


def create_named(kind: str, homes: Mapping[str, str], name: str, options: Mapping[str, Any]) -> Any:
    """Make the object of a name with its options.

    Args:
        kind: what such a thing is called in messages, such as "discriminator".
        homes: "module:Class" of each name.
        name: one of them.
        options: of the class.

    Raises:
        RecipeError: for an unknown name or option; one line that says which there are.
    """
    if name not in homes:
        raise RecipeError(f"no {kind} is called {name!r}; {suggestion(name, list(homes))}")
    home = import_named(homes[name])
    known = signature(home).parameters
    for option in options:
        if option not in known:
            there = f"there are: {', '.join(known)}" if known else "it has none"
            raise RecipeError(f"{kind} {name} has no option {option!r}; {there}")
    try:
        return home(**options)
    except (TypeError, ValueError) as error:
        raise RecipeError(f"{kind} {name}: {' '.join(str(error).split())}") from error
