"""Networks for which users bring the weights are listed with what they must know."""

import json

from regionwise.cli import main
from regionwise.models.registry import model_names
from regionwise.networks import NETWORKS


def test_each_can_be_made_and_is_listed(capsys):
    names = [network.name for network in NETWORKS]
    assert names == sorted(names)
    assert set(names) < set(model_names())
    assert main(["models"]) == 0
    lines = capsys.readouterr().out.splitlines()
    for network in NETWORKS:
        (line,) = [line for line in lines if line.startswith(f"{network.name} ")]
        assert network.licence in line


def test_all_that_is_known_of_one(capsys):
    assert main(["models", "edgeconnect"]) == 0
    assert "EdgeModel_gen.pth" in capsys.readouterr().out
    assert main(["models", "edgeconnect", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)[0]["licence"] == "CC BY-NC 4.0"
