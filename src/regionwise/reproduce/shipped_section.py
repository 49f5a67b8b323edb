"""Sections in YAML files that are shipped in folders beside the recipes: tables and splits."""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import ValidationError

from regionwise.errors import RecipeError
from regionwise.recipe.complaints import complaint, suggestion
from regionwise.recipe.section import Section
from regionwise.recipe.shipped import recipe_folder

AnySection = TypeVar("AnySection", bound=Section)


def read_shipped_section(name: str, kind: str, schema: type[AnySection]) -> AnySection:
    """A shipped section by its name, or one of your own by its file.

    Args:
        name: as `shipped_section_names` has it, or a file with an ending.
        kind: what it is called, "table"; its folder is called `tables`.
        schema: what the file holds.

    Raises:
        RecipeError: if there is none, or it is wrong; one line.
    """
    file = Path(name)
    if not file.suffix:
        file = recipe_folder() / f"{kind}s" / f"{name}.yaml"
        if not file.exists():
            names = shipped_section_names(kind)
            raise RecipeError(f"no {kind} is called {name}; {suggestion(name, names)}")
    try:
        content: Any = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise RecipeError(f"{file}: can't be read ({' '.join(str(error).split())})") from error
    if not isinstance(content, dict):
        raise RecipeError(f"{file}: not a {kind}: it holds no keys")
    try:
        return schema.model_validate(content)
    except ValidationError as error:
        raise RecipeError(f"{file}: {complaint(error, content, schema)}") from error


def shipped_section_names(kind: str) -> list[str]:
    """The names of all shipped sections of a kind."""
    return sorted(file.stem for file in (recipe_folder() / f"{kind}s").glob("*.yaml"))
