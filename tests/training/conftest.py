"""Small photos and small recipes for tests of training."""

from pathlib import Path

import pytest
from PIL import Image
from skimage import data as photos_of_skimage

from regionwise.recipe import override, read_recipe

RECIPES = Path(__file__).parents[2] / "recipes"
TWO_PHASES = Path(__file__).with_name("rn.yaml")


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    """Four photos of 160×120."""
    folder = tmp_path_factory.mktemp("photos")
    for name in ("astronaut", "chelsea", "coffee", "rocket"):
        Image.fromarray(getattr(photos_of_skimage, name)()).resize((160, 120)).save(
            folder / f"{name}.png"
        )
    return folder


@pytest.fixture
def tiny():
    """rn.yaml of this folder with so many steps in its phases, smaller, and further changes."""

    def recipe(reconstruct, texture, *changes):
        lengths = [f"phases.reconstruct.length={reconstruct}", f"phases.texture.length={texture}"]
        small = ["data.size=32", "batch=2", "model.options.width=4", "validation.photos=1"]
        return override(read_recipe(TWO_PHASES), [*lengths, *small, *changes])

    return recipe
