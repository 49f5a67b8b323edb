"""The Region-wise GAN's recipe: RED, then the discriminator as well, from one command."""

from pathlib import Path

import torch
import yaml

from regionwise.cli import main
from regionwise.recipe import read_recipe
from regionwise.training.state import read_state

RECIPE = Path(__file__).parents[2] / "recipes" / "region-wise-gan.yaml"
SMALL = {
    "model.options": "{width: 2}",
    "discriminator.options": "{width: 2}",
    "feature_weights": "random",
    "data.size": "68",
    "batch": "2",
    "validation.photos": "1",
    "phases.red.length": "2",
}
# At a rate of next to nothing: what comes out of the second phase is what went into it.
STILL = {"phases.gan.length": "2", "phases.gan.optimizer.lr": "1e-12"}


def trained(recipe, folder, run, **changes):
    """The state that a run of the command ends with."""
    settings = [f"--set={key}={value}" for key, value in (SMALL | changes).items()]
    arguments = ["train", str(recipe), f"--photos={folder}", f"--output={run}", *settings]
    assert main([*arguments, "--workers=0", "--accelerator=cpu"]) == 0
    return read_state(run / "last.pt")


def test_the_second_phase_starts_from_the_firsts_weights(folder, tmp_path):
    """Fresh ones would be told apart: two steps move weights by about 2e-4."""
    whole = trained(RECIPE, folder, tmp_path / "whole", **STILL)
    red = yaml.safe_load(RECIPE.read_text(encoding="utf-8"))
    red["phases"] = red["phases"][:1]
    (tmp_path / "red.yaml").write_text(yaml.safe_dump(red), encoding="utf-8")
    first = trained(tmp_path / "red.yaml", folder, tmp_path / "red")
    assert (first["step"], whole["step"]) == (2, 4)
    torch.testing.assert_close(whole["generator"], first["generator"], rtol=0, atol=1e-9)


def test_the_phases_differ_by_the_adversarial_term_alone():
    """λ3 is 0 for 20 epochs, then 1 for 9 (section 3.5), for each value; the holes are the same."""
    red, gan = read_recipe(RECIPE).phases
    assert (str(red.length), str(gan.length)) == ("20 epochs", "9 epochs")
    assert gan.losses[: len(red.losses)] == red.losses
    (adversarial,) = gan.losses[len(red.losses) :]
    assert (adversarial.name, adversarial.weight, adversarial.stage) == (
        "adversarial",
        3 * 256 * 256,
        "all",
    )
    assert (red.holes, red.data, red.optimizer) == (gan.holes, gan.data, gan.optimizer)
    assert red.holes.ratio == (0.0, 0.4)
