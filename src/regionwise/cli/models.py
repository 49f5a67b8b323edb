"""`regionwise models`."""

from __future__ import annotations

import json
from dataclasses import asdict
from textwrap import fill
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from regionwise.models.card import NetworkCard, Variant


def command(
    name: Annotated[str | None, typer.Argument(help="Show all that is known of this one.")] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Write the cards as JSON to stdout.")
    ] = False,
    detail: Annotated[
        bool,
        typer.Option("--detail", help="Count parameters and operations; needs PyTorch."),
    ] = False,
) -> None:
    """List the models that can fill, for `regionwise fill --model`.

    \b
    regionwise models rn                 all that is known of one
    regionwise models --detail madf      what a network costs, beside its paper's figures
    """
    from regionwise.engines.words import WORDS
    from regionwise.engines.zoo import list_models
    from regionwise.errors import ModelError
    from regionwise.models.registry import network_cards
    from regionwise.weights.bundled import DEFAULT

    if detail:
        _tell_costs(DEFAULT if name == "default" else name, as_json)
        return
    cards, networks = list_models(), network_cards()
    if name is None:
        bundled = [card.name for card in cards]
        networks = [network for network in networks if network.name not in bundled]
    else:
        wanted = DEFAULT if name == "default" else name
        cards = [card for card in cards if card.name == wanted]
        networks = [network for network in networks if network.name == wanted]
        if not cards and not networks:
            raise ModelError(f"there is no model {name}; regionwise models lists them")
    if as_json:
        told = [asdict(card) for card in cards] or [_as_data(card) for card in networks]
        print(json.dumps(told, indent=2))
        return
    if name is None:
        print("in a word:")
        for word, meaning in WORDS.items():
            print(f"{word:21}  {meaning.title}")
        print("\nby name:")
    for card in cards:
        size = f"{card.size / 1e6:.0f} MB" if card.size else ""
        notes = ["the default"] if card.name == DEFAULT else []
        notes += [] if card.installed else [f"not installed: {card.install}"]
        line = f"{card.name:15}{size:>6}  {card.title}"
        print(f"{line} ({'; '.join(notes)})" if notes else line)
        if name is not None:
            print(f"  paper: {card.paper}")
            for part, licence in card.licences.items():
                print(f"  licence of {part}: {licence}")
            for row in card.measured:
                print("  " + ", ".join(f"{key}: {value}" for key, value in row.items()))
    if name is None:
        print("\nwith weights that you bring, --model FILE:")
    for network in networks:
        print(f"{network.name:21}  {network.title} (licence of the original weights: ", end="")
        print(f"{network.licence})")
        if name is not None:
            print(f"  paper: {network.paper}\n  weights that load: {network.files}")
            print(f"  made for {network.size}×{network.size} pixels")


def _as_data(card: NetworkCard) -> dict[str, Any]:
    """A network's card for JSON, its papers in a line as in the other cards."""
    return asdict(card) | {"paper": card.paper}


def _tell_costs(name: str | None, as_json: bool) -> None:
    """What the paper's variants of a network cost, or of each network; no weights are needed."""
    from regionwise.errors import ModelError
    from regionwise.models.cost import count_cost
    from regionwise.models.registry import model_names, network_card

    if name is not None and name not in model_names():
        names = ", ".join(model_names())
        raise ModelError(f"{name} is not a network whose cost can be counted; there are: {names}")
    counted = {}
    for network in [name] if name else model_names():
        variants = [*_bundled(network), *network_card(network).variants]
        costs = [count_cost(network, **variant.options) for variant in variants]
        counted[network] = list(zip(variants, costs, strict=True))
    if as_json:
        rows = {
            network: [asdict(variant) | {"counted": asdict(cost)} for variant, cost in pairs]
            for network, pairs in counted.items()
        }
        print(json.dumps(rows, indent=2))
        return
    print(
        "multiply-accumulates of one picture of 256x256, in G: as the equations have them, as ours"
    )
    print("computes them, as the paper prints them")
    for network, pairs in counted.items():
        card = network_card(network)
        print(f"\n{network}: {card.source}")
        print(f"  {'':25}{'parameters':>12}{'paper':>10}{'equations':>12}{'ours':>8}{'paper':>10}")
        for variant, cost in pairs:
            print(
                f"  {variant.name:25}{cost.parameters / 1e6:11.3f}M{variant.parameters or '-':>10}"
                f"{cost.literal / 1e9:12.2f}{cost.ours / 1e9:8.2f}{variant.products or '-':>10}"
            )
        print(fill(card.note, 90, initial_indent="  ", subsequent_indent="  "))


def _bundled(name: str) -> list[Variant]:
    """The variant that the bundled weights of this name are of, if there are any."""
    from regionwise.checkpoints import read_checkpoint
    from regionwise.models.card import Variant
    from regionwise.weights.bundled import weights_file

    file = weights_file(name)
    if not file.is_file() or file.suffix != ".onnx":
        return []
    checkpoint = read_checkpoint(file)
    return [Variant("bundled", checkpoint.options)] if checkpoint.model == name else []
