"""Recipes by name, and what `--set` says to a slip."""

from pathlib import Path

import pytest

from regionwise.errors import RecipeError
from regionwise.recipe import find_recipe, override, read_recipe, recipe_names


def test_a_name_is_a_shipped_recipe_and_a_file_a_file(tmp_path):
    assert {"tiny", "madf", "bakeoff/rn"} <= set(recipe_names())
    assert read_recipe(find_recipe(Path("tiny"))).model.name == "madf"
    assert find_recipe(Path("bakeoff/rn")).parent.name == "bakeoff"
    own = tmp_path / "mine"
    own.write_text("seed: 0\n")
    assert find_recipe(own) == own
    assert find_recipe(Path("missing.yaml")) == Path("missing.yaml")  # read_recipe says the rest


def test_a_name_that_is_not_there():
    with pytest.raises(RecipeError, match="no recipe is called tinny; did you mean tiny"):
        find_recipe(Path("tinny"))


def test_shared_keys_are_suggested_too():
    with pytest.raises(RecipeError, match=r"no optimiser\.lr; did you mean optimizer"):
        override(read_recipe(find_recipe(Path("tiny"))), ["optimiser.lr=1"])


def test_the_wheel_has_the_recipes():
    """As pyproject.toml says it; that pip finds them there is seen by building it."""
    text = (Path(__file__).parents[2] / "pyproject.toml").read_text()
    assert '[tool.hatch.build.targets.wheel.force-include]\nrecipes = "regionwise/recipes"' in text
