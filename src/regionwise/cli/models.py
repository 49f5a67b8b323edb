"""`regionwise models`."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Annotated

import typer


def command(
    name: Annotated[str | None, typer.Argument(help="Show all that is known of this one.")] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Write the cards as JSON to stdout.")
    ] = False,
) -> None:
    """List the models that can fill, for `regionwise fill --model`."""
    from regionwise.errors import ModelError
    from regionwise.zoo import DEFAULT, list_models

    cards = list_models()
    if name is not None:
        wanted = DEFAULT if name == "default" else name
        cards = [card for card in cards if card.name == wanted]
        if not cards:
            raise ModelError(f"there is no model {name}; regionwise models lists them")
    if as_json:
        print(json.dumps([asdict(card) for card in cards], indent=2))
        return
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
