"""Recipes are checked, and errors name the file, the key and what would be right."""

from pathlib import Path

import pytest
import yaml

from regionwise.errors import RecipeError
from regionwise.models.registry import create_model
from regionwise.recipe import read_recipe

RECIPES = sorted((Path(__file__).parents[1] / "recipes").rglob("*.yaml"))


@pytest.mark.parametrize("file", RECIPES, ids=lambda file: file.stem)
def test_shipped_recipes_are_right(file):
    recipe = read_recipe(file)
    create_model(recipe.model.name, **recipe.model.options)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"sead": 1}, r"bad\.yaml: sead: there is no such key; did you mean seed"),
        ({"seed": "much"}, r"bad\.yaml: seed: .*integer"),
        ({"phases": []}, r"bad\.yaml: phases: .*at least 1"),
        ({"precision": "int4"}, r"bad\.yaml: precision: .*'fp32', 'bf16' or 'fp16'"),
    ],
)
def test_wrong_keys_and_values(tmp_path, change, message):
    content = yaml.safe_load(RECIPES[0].read_text()) | change
    file = tmp_path / "bad.yaml"
    file.write_text(yaml.safe_dump(content))
    with pytest.raises(RecipeError, match=message) as caught:
        read_recipe(file)
    assert "\n" not in str(caught.value)


def test_not_yaml(tmp_path):
    file = tmp_path / "bad.yaml"
    file.write_text("a: [")
    with pytest.raises(RecipeError, match="not YAML"):
        read_recipe(file)
    with pytest.raises(RecipeError, match="can't be read"):
        read_recipe(tmp_path / "missing.yaml")
