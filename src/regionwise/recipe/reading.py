"""From YAML files and overrides to a checked `Recipe`, and back.

The sections of a phase may stand at the top of the recipe, where they hold for all phases; a
phase's own keys go before them, key by key. A recipe that differs from another one in a few values
names that one as its `base` (a path from its own folder) and holds only what differs.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from regionwise.errors import RecipeError
from regionwise.recipe.complaints import complaint, suggestion
from regionwise.recipe.schema import Phase, Recipe

SHARED = tuple(key for key in Phase.model_fields if key not in ("name", "length", "discriminator"))
"""Keys of phases that may stand at the top; a discriminator there is the recipe's."""


def read_recipe(file: Path) -> Recipe:
    """Read and check a recipe.

    Raises:
        RecipeError: one line that names the file, the key, and what would be right.
    """
    return check_recipe(_content(file, ()), str(file))


def check_recipe(content: Any, origin: str) -> Recipe:
    """A recipe from plain data; `origin` is named in errors."""
    if not isinstance(content, Mapping):
        raise RecipeError(f"{origin}: not a recipe: it holds no keys; see recipes/tiny.yaml")
    try:
        return Recipe.model_validate(_spread(content))
    except ValidationError as error:
        raise RecipeError(f"{origin}: {complaint(error, content, Recipe)}") from error


def override(recipe: Recipe, settings: Sequence[str]) -> Recipe:
    """The recipe with some values changed.

    Args:
        recipe: is left as it is.
        settings: each KEY=VALUE. KEY is a path of keys with dots between. Phases and losses are
            named by their name or number; without `phases.NAME` a phase's key means all phases.
            VALUE is YAML.

    Raises:
        RecipeError: one line that names the setting.
    """
    for setting in settings:
        origin = f"--set {setting}"
        path, equals, text = setting.partition("=")
        if not equals or not path.strip():
            raise RecipeError(f"{origin}: give KEY=VALUE, such as optimizer.lr=1e-4")
        try:
            value = yaml.safe_load(text)
        except yaml.YAMLError as error:
            raise RecipeError(f"{origin}: {text} is not YAML") from error
        content = recipe.model_dump(mode="json")
        keys = path.strip().split(".")
        if keys[0] in SHARED:
            keys = ["phases", "*", *keys]
        places = _places(content, keys)
        if not places:
            raise RecipeError(f"{origin}: the recipe has no {path}{_names_there(content, keys)}")
        for place, key in places:
            place[key] = value
        recipe = check_recipe(content, origin)
    return recipe


def to_yaml(recipe: Recipe) -> str:
    """The recipe with all its values, as YAML that `read_recipe` takes."""
    content = recipe.model_dump(mode="json")
    return yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=100)


def _content(file: Path, above: tuple[Path, ...]) -> Any:
    """What a file holds, upon its base; `above` are the files that it is the base of."""
    try:
        content = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise RecipeError(f"{file}: can't be read ({error})") from error
    except yaml.YAMLError as error:
        raise RecipeError(f"{file}: not YAML ({' '.join(str(error).split())})") from error
    if not isinstance(content, dict) or "base" not in content:
        return content
    name = content.pop("base")
    if not isinstance(name, str):
        raise RecipeError(f"{file}: base: {name!r}: give another recipe's path from this folder")
    base = file.parent / name
    if base.resolve() in (file.resolve(), *above):
        raise RecipeError(f"{file}: base: {name} has this recipe as its own base")
    lower = _content(base, (*above, file.resolve()))
    if not isinstance(lower, dict):
        raise RecipeError(f"{base}: not a recipe: it holds no keys; see recipes/tiny.yaml")
    return _merged(lower, content)


def _spread(content: Mapping[str, Any]) -> dict[str, Any]:
    """The content with the shared keys written into each phase."""
    shared = {key: content[key] for key in SHARED if key in content}
    rest = {key: value for key, value in content.items() if key not in shared}
    phases = rest.get("phases")
    if isinstance(phases, list | tuple):
        rest["phases"] = [
            _merged(shared, phase) if isinstance(phase, Mapping) else phase for phase in phases
        ]
    return rest


def _merged(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    merged = copy.deepcopy(dict(base))
    for key, value in over.items():
        old = merged.get(key)
        both = isinstance(old, Mapping) and isinstance(value, Mapping) and key != "mixture"
        merged[key] = _merged(old, value) if both else value  # type: ignore[arg-type]
    return merged


def _places(content: Any, keys: Sequence[str]) -> list[tuple[Any, Any]]:
    """Where the path leads: containers and the key in each. `*` is all of a list."""
    first, *rest = keys
    if isinstance(content, list):
        chosen = [k for k, item in enumerate(content) if first in ("*", str(k), _name(item))]
        if not rest:
            return [(content, k) for k in chosen]
        return [place for k in chosen for place in _places(content[k], rest)]
    if not isinstance(content, dict):
        return []
    if not rest:
        return [(content, first)]
    if content.get(first) is None and first in content:
        content[first] = {}
    return _places(content[first], rest) if first in content else []


def _name(item: Any) -> str | None:
    return item.get("name") if isinstance(item, dict) else None


def _names_there(content: Any, keys: Sequence[str]) -> str:
    """What could have been named where the path leads nowhere."""
    for depth in range(len(keys) - 1, 0, -1):
        for place, key in _places(content, keys[:depth]):
            inner = place[key] if not isinstance(place, dict) or key in place else None
            if isinstance(inner, list):
                return f"; {suggestion(keys[depth], [str(_name(item)) for item in inner])}"
            if isinstance(inner, dict):
                return f"; {suggestion(keys[depth], list(inner))}"
    return f"; {suggestion(keys[0], [*content, *SHARED])}"
