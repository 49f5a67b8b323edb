"""What the recipes hold of papers and released code, where audits found them wrong."""

import pytest
import torch
from tests.training.conftest import RECIPES

from regionwise.discriminators.registry import create_discriminator
from regionwise.recipe import find_recipe, override, read_recipe
from regionwise.training.initialization import initialize
from regionwise.training.timetable import timetable


def recipe(name, *changes):
    return override(read_recipe(find_recipe(RECIPES / f"{name}.yaml")), changes)


def terms(phase):
    return {(term.name, str(term.stage)): term for term in phase.terms}


class TestRegionNorm:
    def test_as_released(self):
        """Raw pictures for losses and discriminator, mirrored photos, 10 epochs."""
        (phase,) = recipe("rn-released").phases
        assert {term.picture for term in phase.terms} == {"raw"}
        assert phase.data.flip
        assert phase.data.framing == "center-square"
        assert str(phase.length) == "10 epochs"

    def test_the_released_rate_falls_after_the_second_epoch(self):
        """lr · 0.8^(epoch − 1), set after the epoch: 1, 1, 0.8, 0.64, …"""
        released = recipe("rn-released")
        (stretch,) = timetable(released, photos=28)  # two steps an epoch
        for section in (released.phases[0].optimizer, released.discriminator.optimizer):
            rates = [stretch.rate(section, step) / section.lr for step in range(0, 10, 2)]
            assert rates == pytest.approx([1, 1, 0.8, 0.64, 0.512])
            assert stretch.rate(section, 3) == section.lr


class TestMadf:
    def test_stages_are_named_by_what_they_are(self):
        by_stage = terms(recipe("madf").phases[0])
        assert ("perceptual", "refined") in by_stage
        assert ("style", "-1") in by_stage
        assert ("total_variation", "-1") in by_stage

    def test_as_released(self):
        released = recipe("madf-released")
        data = released.phases[0].data
        assert (data.size, data.scale, data.framing) == (512, 572, "random-crop")
        assert released.phases[0].holes.augment == "slightly"
        assert released.initialization.name == "pytorch"
        assert not released.sync_batch_norm

    def test_pytorchs_own_initial_weights(self):
        """Drawn as a fresh convolution's, biases too."""
        torch.manual_seed(0)
        network = torch.nn.Sequential(
            torch.nn.Conv2d(8, 64, 5), torch.nn.ConvTranspose2d(64, 16, 4)
        )
        wanted = [p.detach().abs().max().item() for p in network.parameters()]
        for parameter in network.parameters():
            torch.nn.init.zeros_(parameter)
        initialize(network, recipe("madf-released").initialization)
        found = [p.detach().abs().max().item() for p in network.parameters()]
        assert found == pytest.approx(wanted, rel=0.1)


class TestDeepGin:
    @pytest.mark.parametrize("name", ["deepgin", "deepgin-released"])
    def test_l1_is_of_all_pictures_that_the_network_has(self, name):
        for phase in recipe(name).phases:
            stages = [term.stages for term in phase.terms if term.name == "l1"]
            assert stages == 2 * [("all", "low_resolution_if_any")]

    def test_as_released(self):
        released = recipe("deepgin-released")
        phase = released.phases[1]
        by_name = {term.name: term for term in phase.terms}
        weights = [1 / 32, 1 / 16, 1 / 8, 1 / 4, 1]
        for name in ("perceptual", "style"):
            assert list(by_name[name].features.layers.values()) == weights
            assert by_name[name].features.size == 224
        assert by_name["total_variation"].weight == 0.2
        assert phase.data.flip
        assert phase.data.quarter_turns
        assert phase.optimizer.clip == 3
        assert released.discriminator.optimizer.clip is None
        assert (released.initialization.name, released.initialization.gain) == ("kaiming", 0.1)

    def test_the_released_discriminators(self):
        section = recipe("deepgin-released").discriminator
        network = create_discriminator(section.name, section.options)
        assert sum(p.numel() for p in network.parameters()) == 3_421_568
        with torch.no_grad():
            judgement = network(*torch.rand(2, 1, 3, 256, 256), torch.zeros(1, 1, 256, 256))
        assert judgement[0].scores.shape == (1, 256, 67, 67)


class TestRegionWise:
    @pytest.mark.parametrize("name", ["region-wise-released", "region-wise-gan-released"])
    def test_as_released(self, name):
        for phase in recipe(name).phases:
            features = [t.features for t in phase.terms if hasattr(t, "features")]
            assert {(f.network, f.size) for f in features} == {("vgg16-caffe", 224)}
            assert phase.optimizer.betas == (0.5, 0.9)
            assert phase.clip_pictures

    def test_the_released_second_phase(self):
        released = recipe("region-wise-gan-released")
        assert str(released.phases[1].length) == "20 epochs"
        assert not released.phases[1].keep_optimizer
        assert released.discriminator.optimizer.betas == (0.5, 0.9)
        assert released.discriminator.options["signed"]

    def test_semantic_inferring_alone_can_be_asked_for(self):
        """Figures 5e and 4e: one stage, and the term of the second weighs 0."""
        alone = recipe("region-wise", "model.options.stages=1", "losses.style.weight=0")
        assert [term.name for term in alone.phases[0].terms] == ["l1", "correlation"]
