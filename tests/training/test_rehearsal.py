"""What can't train is told before anything is written, with its phase and its mend."""

import pytest
import torch
from tests.training.conftest import RECIPES

from regionwise.errors import RecipeError
from regionwise.recipe import find_recipe, override, read_recipe, recipe_names
from regionwise.training.rehearsal import rehearse

SMALL = {
    "madf": ["model.options.width=8", "data.size=32"],
    "rn": ["model.options={width: 4, blocks: 1}", "data.size=32"],
    "deepfillv1": ["model.options.width=4", "discriminator.options={size: 64, window: 32}"],
}


def changed(name, *changes):
    return override(read_recipe(RECIPES / f"{name}.yaml"), [*SMALL[name], *changes])


@pytest.mark.parametrize(
    ("name", "changes", "message"),
    [
        ("madf", ["losses.style.stage=2", "model.options.refinements=1"], "phase main: .*stage 2"),
        ("madf", ["losses.l1.stage=low_resolution"], "phase main: .*low_resolution"),
        ("rn", ["model.name=rm"], "model: no network is called 'rm'"),
        ("rn", ["model.options.widht=3"], "model: rn has no option 'widht'"),
        ("rn", ["parts=[painter]"], "phase main: parts: .*painter"),
        ("rn", ["discriminator.options={widht: 3}"], "phase main: .*has no option 'widht'"),
        (
            "rn",
            ["discriminator.options={channels: 4}"],
            "main: the discriminator patch can't",
        ),
        ("rn", ["discriminator.name=patsch"], "no discriminator is called 'patsch'; did you mean"),
        ("rn", ["discriminator.loss=hing"], "no adversarial loss is called 'hing'"),
        ("deepfillv1", ["data.size=32"], r"judges pictures of 64×64.*not of 32×32: set"),
    ],
)
def test_what_cannot_train(name, changes, message):
    with pytest.raises(RecipeError, match=message) as caught:
        rehearse(changed(name, *changes))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", SMALL)
def test_what_can_train_leaves_no_trace(name):
    before = torch.get_rng_state()
    rehearse(changed(name, "data.size=64"))
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.slow
@pytest.mark.parametrize("name", recipe_names())
def test_every_shipped_recipe_can_train(name):
    if name in ("bakeoff/common", "bakeoff/slim"):
        return  # bases, which have no network
    rehearse(override(read_recipe(find_recipe(RECIPES / f"{name}.yaml")), []))
