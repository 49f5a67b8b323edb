"""Recipes that come with regionwise, by their names."""

from __future__ import annotations

from pathlib import Path

from regionwise.errors import RecipeError
from regionwise.recipe.complaints import suggestion

_PACKAGE = Path(__file__).parents[1]
_FOLDERS = (_PACKAGE / "recipes", _PACKAGE.parents[1] / "recipes")
"""In an installed package, and in a checkout."""


def find_recipe(name: Path) -> Path:
    """The file of a recipe, given as a file or by the name of a shipped one.

    Args:
        name: a file, or a name such as "tiny" or "bakeoff/rn".

    Raises:
        RecipeError: if there is neither.
    """
    if name.exists() or name.suffix:
        return name
    file = recipe_folder() / f"{name}.yaml"
    if file.exists():
        return file
    hint = suggestion(str(name), recipe_names())
    raise RecipeError(f"no file and no recipe is called {name}; {hint}")


def recipe_folder() -> Path:
    """Where the shipped recipes lie."""
    return next(folder for folder in _FOLDERS if folder.is_dir())


def recipe_names() -> list[str]:
    """The names of all shipped recipes."""
    folder = recipe_folder()
    others = ("tables", "splits")
    files = [file for file in sorted(folder.rglob("*.yaml")) if file.parent.name not in others]
    return [file.relative_to(folder).with_suffix("").as_posix() for file in files]
