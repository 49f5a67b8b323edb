"""A recipe is a whole training as data: one YAML file that reads like a paper's training section.

`schema` and `losses` say which keys there are, `reading` makes a `Recipe` of a file and of
overrides.
"""

from regionwise.recipe.reading import check_recipe, override, read_recipe, to_yaml
from regionwise.recipe.schema import Phase, Recipe
from regionwise.recipe.shipped import find_recipe, recipe_names

__all__ = [
    "Phase",
    "Recipe",
    "check_recipe",
    "find_recipe",
    "override",
    "read_recipe",
    "recipe_names",
    "to_yaml",
]
