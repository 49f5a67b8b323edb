"""`regionwise reproduce`."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from regionwise.evaluation.manifest import Manifest
    from regionwise.photos.photo_index import PhotoIndex
    from regionwise.reproduce.budget import Budget
    from regionwise.reproduce.paper_table import PaperTable
    from regionwise.reproduce.trainings import RowTraining


def command(
    table: Annotated[
        str | None, typer.Argument(help="A table, such as rn-table-2; none lists them.")
    ] = None,
    photos: Annotated[
        list[Path] | None,
        typer.Option("--photos", "-p", help="Folder, tar shard, list (.txt) or photo; repeatable."),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Folder of the table. One that stopped goes on."),
    ] = None,
    budget: Annotated[
        str, typer.Option(help="paper, gpu-hour, cpu-hour, minutes=M or steps=N, for each row.")
    ] = "paper",
    seeds: Annotated[int, typer.Option(help="Trainings of each row.", min=1)] = 1,
    row: Annotated[
        list[str] | None,
        typer.Option(help="Train this row only, for several machines; repeatable."),
    ] = None,
    processes: Annotated[int, typer.Option(help="Trainings at a time on this machine.", min=1)] = 1,
    limit: Annotated[
        int, typer.Option(help="Evaluate at most this many held-out photos; 0 = all.", min=0)
    ] = 0,
    changes: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Another value in all rows; repeatable."),
    ] = None,
    vgg: Annotated[Path | None, typer.Option(help="ImageNet weights of VGG (.pth).")] = None,
    workers: Annotated[int, typer.Option(help="Processes that read photos, each.", min=0)] = 2,
    accelerator: Annotated[str, typer.Option(help="auto, cpu, cuda or mps.")] = "auto",
    show: Annotated[bool, typer.Option("--show", help="Print the rows; no run.")] = False,
) -> int:
    """Train and measure all rows of a paper's table, and print them beside the paper's figures.

    \b
    regionwise reproduce                                        the tables that there are
    regionwise reproduce rn-table-2 -p places2 -o out           the paper's trainings
    regionwise reproduce rn-table-2 -p photos -o out --budget minutes=5 --seeds 3 --limit 50

    At another budget than the paper's, networks and pictures are made small, as the table's file
    says (recipes/tables), and every row gets as many steps as the slowest one makes in the time.
    Photos whose names are held out from training are evaluated, with the table's protocol. Run
    the same command again to go on; with --row on several machines that share the folder.
    """
    from regionwise.data.photo_sources import find_photos
    from regionwise.errors import RecipeError
    from regionwise.reproduce.budget import parse_budget
    from regionwise.reproduce.paper_table import read_table, table_names

    if table is None:
        print("\n".join(table_names()))
        return 0
    content, allowed = read_table(table), parse_budget(budget)
    for name in row or []:
        if name not in content.rows:
            raise RecipeError(f"--row {name}: {table} has {', '.join(content.rows)}")
    found = find_photos(photos) if photos else None
    if show:
        _show(content, allowed, changes or [])
        return 0
    if not photos or found is None or output is None:
        raise RecipeError(f"{table}: to train it give --photos DIR and --output FOLDER")
    from regionwise.photos.stored_files import full_place

    arguments = [*(f"--photos={full_place(photo)}" for photo in photos), f"--workers={workers}"]
    arguments += [f"--accelerator={accelerator}"] + ([f"--vgg={vgg.resolve()}"] if vgg else [])
    trainings = _trainings(content, allowed, seeds, changes or [], found, output, vgg, accelerator)
    from regionwise.reproduce.trainings import train_all

    chosen = [one for one in trainings if not row or one.row in row]
    train_all(chosen, arguments, processes)
    if left := [one.row for one in trainings if not one.is_done]:
        print(f"{output}: trained; rows that are left: {', '.join(dict.fromkeys(left))}")
        return 0
    _evaluate(content, trainings, photos, output, limit)
    return _tell(content, trainings, output, budget)


def _trainings(
    table: PaperTable,
    budget: Budget,
    seeds: int,
    changes: Sequence[str],
    photos: PhotoIndex,
    output: Path,
    vgg: Path | None,
    accelerator: str,
) -> list[RowTraining]:
    """All rows and seeds with the recipes they are trained by; the steps are kept for next time."""
    from regionwise.errors import DataError, OutputError
    from regionwise.output import write_whole
    from regionwise.reproduce.budget import steps_in, with_steps
    from regionwise.reproduce.trainings import RowTraining
    from regionwise.training.run_folder import split
    from regionwise.training.settings import TrainingSettings

    slim = not budget.is_the_papers
    if slim and vgg is None:
        changes = [*changes, "feature_weights=random"]
    recipes = {
        (name, seed): table.row_recipe(name, seed=seed, slim=slim, changes=changes)
        for name in table.rows
        for seed in range(seeds)
    }
    steps = budget.steps
    seen, unseen = split(photos, held_out=True)
    if not seen or not unseen:
        raise DataError(
            f"of {len(photos)} photos {len(unseen)} are held out by their names for the "
            "evaluation; give so many that there are some to train on and some to measure"
        )
    if budget.minutes is not None:
        kept = output / "steps.txt"
        if not kept.exists():
            files = {"vgg": vgg} if vgg else {}
            settings = TrainingSettings(
                output, workers=0, accelerator=accelerator, feature_files=files
            )
            firsts = [recipes[name, 0] for name in table.rows]
            found = steps_in(budget.minutes, firsts, seen, settings)
            try:
                output.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise OutputError(f"{output}: can't be made ({error})") from error
            write_whole(f"{found}\n".encode(), kept)
        steps = int(kept.read_text(encoding="utf-8"))
    return [
        RowTraining(
            name, seed, recipe if steps is None else with_steps(recipe, steps, len(seen)), output
        )
        for (name, seed), recipe in recipes.items()
    ]


def _evaluate(
    table: PaperTable,
    trainings: Sequence[RowTraining],
    photos: Sequence[Path],
    output: Path,
    limit: int,
) -> None:
    """All trained rows under the table's protocol, by `regionwise evaluate`."""
    from regionwise.errors import DataError

    models = ",".join(str(one.model.resolve()) for one in trainings)
    command = [sys.executable, "-m", "regionwise", "evaluate", "--models", models]
    command += [f"--photos={photo}" for photo in photos]
    command += ["--held-out", f"--limit={limit}", "--protocol", table.protocol]
    command += ["-o", str(output / "evaluation")]
    done = subprocess.run(command, check=False, stdout=subprocess.DEVNULL)
    if done.returncode:
        raise DataError(f"{output / 'evaluation'}: the evaluation failed, see above")


def _tell(table: PaperTable, trainings: Sequence[RowTraining], output: Path, budget: str) -> int:
    """Print and write the table."""
    from regionwise.evaluation.manifest import read_manifest
    from regionwise.evaluation.rows import read_rows
    from regionwise.output import write_whole
    from regionwise.reproduce.results import cells, shown_scores, to_markdown

    rows = read_rows(output / "evaluation" / "rows")
    models: dict[str, list[str]] = {name: [] for name in table.rows}
    for training in trainings:
        models[training.row].append(str(training.model.resolve()))
    manifest = read_manifest(table.protocol)
    columns = {}
    for score in shown_scores(table):
        for place in table.places(score.name):
            sets = _sets(manifest, place or table.paper_row)
            titled = replace(score, title=f"{score.title}, {place}") if place else score
            found = cells(table, rows, models, sets, score, place)
            columns[f"{score.name} {place}"] = titled, found
    steps = trainings[0].run / "last.pt"
    from regionwise.training.state import read_state

    pictures = len({(row.photo, row.set) for row in rows})
    note = (
        f"Ours: budget {budget}, {read_state(steps)['step']} steps of each row, "
        f"{len(trainings) // len(table.rows)} seeds, {pictures} pictures of held-out photos. ± is "
        "the std between seeds."
    )
    text = to_markdown(table, columns, note)
    write_whole(text.encode(), output / "table.md", overwrite=True)
    print(text)
    return 0


def _sets(manifest: Manifest, place: str | None) -> list[str]:
    """The sets of a row of a protocol's tables."""
    if place in (None, "all"):
        return list(manifest.all) if place else [one.name for one in manifest.sets]
    return [str(place)]


def _show(table: PaperTable, budget: Budget, changes: Sequence[str]) -> None:
    """Check that each row can be trained, and print what it sets."""
    from regionwise.training.rehearsal import rehearse

    print(f"{table.title}: {table.source}; protocol {table.protocol}")
    for name, row in table.rows.items():
        recipe = table.row_recipe(name, seed=0, slim=not budget.is_the_papers, changes=changes)
        rehearse(recipe)
        print(f"{name}: recipe {row.recipe or table.recipe} {' '.join(row.set)}")
