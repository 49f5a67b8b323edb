"""`regionwise blind`: let people choose between fills, and rank the models by their votes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from regionwise.cli.once import OnceCommand
from regionwise.errors import DataError
from regionwise.evaluation.blind_page import key_file, read_votes, write_blind_page
from regionwise.evaluation.contact_sheet import find_samples
from regionwise.evaluation.preferences import duels, ranking

app = typer.Typer(
    help="Let people choose between two fills, and rank the models by their votes.",
    add_completion=False,
    rich_markup_mode=None,
)


@app.command(cls=OnceCommand)
def make(
    results: Annotated[Path, typer.Argument(help="Folder of `evaluate`, with its samples.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for the page.")],
    models: Annotated[
        str, typer.Option("--models", "-m", help="Those of the evaluation to compare; all if none.")
    ] = "",
    pairs: Annotated[
        int, typer.Option(help="How many, spread over models and pictures; 0 = all.", min=0)
    ] = 0,
    seed: Annotated[int, typer.Option(help="Of order, sides and names of files.", min=0)] = 0,
) -> None:
    """Make a page that shows two fills side by side, without saying whose they are.

    It opens from the disk, and gives the votes as a file. The key stays beside the folder.
    """
    chosen = [name.strip() for name in models.split(",") if name.strip()] or _models_of(results)
    samples = find_samples(results, chosen)
    if not samples:
        raise DataError(
            f"{results} has no pictures of {', '.join(chosen)}: run `evaluate` with --samples"
        )
    made = write_blind_page(samples, output, pairs, seed)
    if made.same:
        print(f"{made.same} pairs are left out: both fills are the same")
    print(f"{len(made.key.pairs)} pairs: open {output / 'index.html'}")
    print(f"who made which stands in {key_file(output)}: don't give it to voters")


@app.command(cls=OnceCommand)
def count(
    key: Annotated[Path, typer.Argument(help="The page's key, PAGE.key.json.")],
    votes: Annotated[list[Path], typer.Argument(help="Files of votes, one or more.")],
) -> None:
    """Rank the models by people's votes (Bradley and Terry), with 95 % intervals."""
    found = read_votes(key, votes)
    if not found:
        raise DataError("there is no vote in these files")
    ranks = ranking(found)
    table = Table("", "model", "strength", "95 % interval", "preferred", "votes")
    for number, one in enumerate(ranks, start=1):
        interval = f"{one.low:+.2f} to {one.high:+.2f}"
        won = f"{one.won:g} ({one.won / one.votes:.0%})"
        table.add_row(str(number), one.model, f"{one.value:+.2f}", interval, won, str(one.votes))
    console = Console()
    console.print(table)
    console.print("Strength: log odds against the mean of all; ties count as a half.")
    between = Table("model", "preferred to", "share", "95 % interval", "votes")
    for duel in duels(found, [one.model for one in ranks]):
        interval = f"{duel.low:.0%} to {duel.high:.0%}"
        between.add_row(duel.model, duel.other, f"{duel.share:.0%}", interval, str(duel.votes))
    console.print(between)


def _models_of(results: Path) -> list[str]:
    file = results / "inputs.json"
    try:
        return list(json.loads(file.read_text(encoding="utf-8"))["models"])
    except (OSError, ValueError, KeyError) as error:
        raise DataError(f"{results} is no folder of an evaluation ({error})") from error
