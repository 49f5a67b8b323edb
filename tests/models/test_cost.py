"""Counts against figures that were counted by others, and by hand."""

import json

import pytest
import torch
from torch import nn

from regionwise.cli import main
from regionwise.models.card import Released
from regionwise.models.cost import _LiteralCount, count_cost
from regionwise.models.registry import network_card, network_cards

RELEASED = [
    *((card.name, {}, card.released) for card in network_cards() if card.released),
    *(
        (card.name, dict(variant.options), variant.released)
        for card in network_cards()
        for variant in card.variants
        if variant.released
    ),
    # Without the fusion of scores.
    ("deepfillv2", {"graph": "converted"}, Released((4_052_478,), 27.72)),
]
"""What was counted on the authors' networks."""


@pytest.mark.parametrize(("name", "options", "released"), RELEASED)
def test_equations_cost_what_the_released_networks_do(name, options, released):
    cost = count_cost(name, **options)
    assert cost.parameters == sum(released.parameters)
    products = released.giga_products
    assert cost.literal / 1e9 == pytest.approx(products, abs=1e-2 if products < 200 else 0.1)
    assert cost.ours < (1.05 if name == "pic" else 1.01) * cost.literal


def test_papers_parameters_are_met():
    for variant in network_card("deepgin").variants:
        cost = count_cost("deepgin", **variant.options)
        assert f"{cost.parameters / 1e6:.3f}M" == variant.parameters


def test_region_wise_saves_what_upsampling_and_skips_allow():
    cost = count_cost("region-wise", stages=1)
    assert 0.5 < cost.ours / cost.literal < 0.7


@pytest.mark.parametrize(
    "layer",
    [nn.Conv2d(3, 5, 3, stride=2), nn.ConvTranspose2d(3, 5, 4, stride=2), nn.Linear(7, 5)],
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
