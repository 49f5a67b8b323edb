"""Counts against figures that were counted by others, and by hand."""

import json

import pytest
import torch
from torch import nn

from regionwise.cli import main
from regionwise.models.cost import _LiteralCount, count_cost
from regionwise.models.published import PUBLISHED
from regionwise.models.registry import model_names

RELEASED = [
    ("rn", {}, 11.597, 53.88),
    ("madf", {"refinements": 0}, 40.742, 10.43),
    ("madf", {"refinements": 1}, 62.941, 19.35),
    ("madf", {"refinements": 2}, 85.140, 28.26),
    ("deepgin", {}, 42.930, 32.18),
    ("region-wise", {"stages": 1}, 2.830, 47.65),
    ("region-wise", {}, 4.706, 47.65 + 14.13),
    ("edgeconnect", {}, 10.761089 + 10.774595, 48.07 + 48.68),
    ("pconv", {}, 25.779796, 9.47),
    ("deepfillv1", {}, 3.601542, 25.81),
    ("deepfillv2", {}, 4.052478, 27.73),
    ("deepfillv2", {"graph": "converted"}, 4.052478, 27.72),  # without the fusion of scores
    ("lbam", {}, 68.304948, 10.05),
    ("pic", {}, 3.604224 + 2.374016 - 0.475776, 2.18 + 3.07),  # without the path for the truth
    ("pennet", {}, 10.231538, 25.66),
    ("glcic", {}, 6.072131, 32.55),
    ("structureflow", {}, 36.057411 + 56.473475, 139.8 + 115.3),
    ("aotgan", {}, 15.200835, 72.88),
]
"""Millions of parameters and G multiply-accumulates, counted on the authors' networks."""


@pytest.mark.parametrize(("name", "options", "parameters", "products"), RELEASED)
def test_equations_cost_what_the_released_networks_do(name, options, parameters, products):
    cost = count_cost(name, **options)
    assert cost.parameters / 1e6 == pytest.approx(parameters, abs=6e-4)
    assert cost.literal / 1e9 == pytest.approx(products, abs=1e-2 if products < 200 else 0.1)
    assert cost.ours < (1.05 if name == "pic" else 1.01) * cost.literal


def test_every_network_has_a_row():
    assert list(PUBLISHED) == model_names()


def test_papers_parameters_are_met():
    for variant in PUBLISHED["deepgin"].variants:
        cost = count_cost("deepgin", **variant.options)
        assert f"{cost.parameters / 1e6:.3f}M" == variant.parameters


def test_region_wise_saves_what_upsampling_and_skips_allow():
    cost = count_cost("region-wise", stages=1)
    assert 0.5 < cost.ours / cost.literal < 0.7


@pytest.mark.parametrize(
    "layer", [nn.Conv2d(3, 5, 3, stride=2), nn.ConvTranspose2d(3, 5, 4, stride=2)]
)
def test_against_loops_over_pixels(layer):
    """Each product with a pixel that is there: counted by ones through the convolution."""
    x = torch.ones(1, 3, 9, 7)
    with _LiteralCount(nn.Sequential(layer)) as count:
        layer(x)
    nn.init.ones_(layer.weight)
    nn.init.zeros_(layer.bias)
    assert count.total == layer(x).sum()


def test_command_prints_ours_beside_the_papers(capsys):
    assert main(["models", "--detail", "madf"]) == 0
    lines = capsys.readouterr().out.splitlines()
    row = next(line for line in lines if "MADF+K2 PN" in line)
    assert row.split()[-5:] == ["-", "28.26", "27.79", "51.77", "G"]


def test_bundled_weights_are_a_row(capsys):
    assert main(["models", "--detail", "rn", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)["rn"]
    assert rows[0]["name"] == "bundled"
    assert rows[0]["options"]["width"] == 16
    assert rows[0]["counted"]["parameters"] == 2_931_349


def test_a_method_without_a_network(capsys):
    assert main(["models", "--detail", "telea"]) == 2
    assert "there are: aotgan, deepfillv1, deepfillv2, deepgin" in capsys.readouterr().err
