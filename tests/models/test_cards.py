"""Each network's folder is whole, and what its card says is what users are told."""

import json
import subprocess
import sys
from inspect import signature
from pathlib import Path

import pytest

import regionwise.models
from regionwise.cli import main
from regionwise.engines.zoo import load_model
from regionwise.errors import ModelError
from regionwise.models.network import InpaintingNetwork
from regionwise.models.reader import WeightsReader
from regionwise.models.registry import (
    create_model,
    model_names,
    network_card,
    network_cards,
    network_class,
    weights_readers,
)
from regionwise.weights.bundled import bundled_cards

DOCS = Path(__file__).parents[2] / "docs"
RECIPES = Path(__file__).parents[2] / "recipes"


def test_each_folder_with_a_card_is_found():
    folder = Path(regionwise.models.__file__).parent
    found = {network_class(name).__module__.split(".")[-2] for name in model_names()}
    assert found == {card.parent.name for card in folder.glob("*/card.py")}
    assert model_names() == sorted(model_names()) == [card.name for card in network_cards()]


def test_cards_are_read_without_pytorch():
    code = (
        "from regionwise.models.registry import network_cards; cards = network_cards()\n"
        "import sys; print(len(cards), 'torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == [str(len(model_names())), "False"]


@pytest.mark.parametrize("card", network_cards(), ids=lambda card: card.name)
class TestEachCard:
    def test_network_and_reader(self, card):
        network = network_class(card.name)
        assert issubclass(network, InpaintingNetwork)
        assert network.__doc__
        assert "Shapes" in network.__doc__
        reader = weights_readers().get(card.name)
        if reader is None:
            assert card.released is None  # its weights are of our own trainings alone
            return
        assert isinstance(reader, WeightsReader)
        for function in ("recognizes", "convert"):
            wanted = signature(getattr(WeightsReader, function)).parameters
            assert list(signature(getattr(reader, function)).parameters) == list(wanted)[1:]
        assert not reader.recognizes({})

    def test_facts(self, card):
        assert all((card.title, card.papers, card.files, card.licence, card.variants, card.note))
        assert all(2010 < paper.year < 2040 for paper in card.papers)
        assert card.size >= 64
        for file in card.parts.values():
            assert file in card.files

    def test_options_are_the_networks(self, card):
        known = signature(network_class(card.name)).parameters
        for options in (card.slim, *(variant.options for variant in card.variants)):
            assert set(options) <= set(known)

    def test_it_is_listed(self, card, capsys):
        assert main(["models"]) == 0
        lines = capsys.readouterr().out.splitlines()
        (line,) = [line for line in lines if line.startswith(f"{card.name} ")]
        if card.name not in {bundled.name for bundled in bundled_cards()}:
            assert card.title in line
            assert card.licence in line

    def test_all_that_is_known_is_told(self, card, capsys):
        assert main(["models", card.name]) == 0
        told = capsys.readouterr().out
        for fact in (card.title, card.licence, card.files, card.paper):
            assert fact in told

    def test_who_asks_for_it_by_name_is_told_to_bring_weights(self, card):
        if card.name in {bundled.name for bundled in bundled_cards()}:
            return
        with pytest.raises(ModelError, match="comes without weights; give the file"):
            load_model(card.name)

    def test_its_row_in_the_docs(self, card):
        assert row(card) in (DOCS / "baselines.md").read_text(encoding="utf-8").splitlines()


def row(card):
    """Its line of the table in docs/baselines.md, as the card has it."""
    years = ", ".join(dict.fromkeys(str(paper.year) for paper in card.papers))
    parameters, products = "not released", "-"
    if card.released is not None:
        parameters = " + ".join(f"{count:,}" for count in card.released.parameters)
        products = f"{card.released.giga_products:.2f}"
    recipe = f"`{card.name}`" if (RECIPES / f"{card.name}.yaml").is_file() else "none"
    cells = (f"`{card.name}`", card.title, years, parameters, products, card.files, card.licence)
    return f"| {' | '.join((*cells, recipe))} |"


def test_json_of_one(capsys):
    assert main(["models", "edgeconnect", "--json"]) == 0
    (told,) = json.loads(capsys.readouterr().out)
    assert told["licence"] == "CC BY-NC 4.0"
    assert told["paper"] == network_card("edgeconnect").paper
    assert told["parts"]["edge"] == "EdgeModel_gen.pth"


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("no-such", {}, "no network is called 'no-such'; there are: aotgan, "),
        ("rn", {"wide": 3}, "rn has no option 'wide'; there are: architecture, "),
        ("rn", {"width": "64"}, "rn: width='64': input should be a valid integer"),
        ("deepgin", {"refinement": "yes please"}, "deepgin: refinement='yes please'"),
    ],
)
def test_errors(name, options, message):
    with pytest.raises(ModelError, match=message):
        create_model(name, **options)
