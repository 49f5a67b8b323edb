"""`regionwise train`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def command(
    recipe: Annotated[Path, typer.Argument(help="A recipe, such as recipes/tiny.yaml.")],
    photos: Annotated[
        list[Path],
        typer.Option("--photos", "-p", help="Folder, tar shard or photo; repeatable."),
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", help="Folder of the run: checkpoint and TensorBoard.")
    ],
    features: Annotated[
        Path | None,
        typer.Option(help="Weights (.npz) of the feature network, for perceptual and style loss."),
    ] = None,
    resume: Annotated[bool, typer.Option(help="Go on from the run's last.pt.")] = False,
    hold_out: Annotated[
        bool, typer.Option(help="Keep every twentieth photo, by name, for evaluation.")
    ] = True,
    workers: Annotated[int, typer.Option(help="Processes that read photos.", min=0)] = 2,
    compile_: Annotated[
        bool, typer.Option("--compile", help="Compile the generator: minutes first, then faster.")
    ] = False,
) -> None:
    """Train a network by a recipe.

    \b
    Example:  regionwise train recipes/tiny.yaml --photos my_photos -o runs/tiny

    The run's folder holds last.pt (all that is needed to go on; `regionwise fill --model` takes it
    too) and what TensorBoard shows: losses and previews.
    """
    from regionwise.data import find_photos
    from regionwise.errors import OutputError, RecipeError
    from regionwise.photo_sources import is_held_out
    from regionwise.recipe import read_recipe
    from regionwise.training.loop import Settings, train

    plan = read_recipe(recipe)
    needs = any(phase.losses.perceptual or phase.losses.style for phase in plan.phases)
    if needs and features is None:
        raise RecipeError(f"{recipe} has a perceptual or style loss; give --features FILE.npz")
    if (output / "last.pt").exists() and not resume:
        raise OutputError(f"{output} holds a run; go on with --resume, or give another folder")
    found = find_photos(photos)
    if hold_out:
        found = [photo for photo in found if not is_held_out(photo)]
    settings = Settings(run=output, workers=workers, compile=compile_, features=features)
    steps = sum(phase.steps for phase in plan.phases)
    with _Bar(steps) as bar:
        train(
            plan,
            found,
            settings,
            resume=resume,
            report=bar.update,
        )
    print(f"{output / 'last.pt'}: trained {steps} steps; fill with --model {output / 'last.pt'}")


class _Bar:
    """A progress bar with the present losses, on stderr."""

    def __init__(self, steps: int) -> None:
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            MofNCompleteColumn,
            Progress,
            TextColumn,
            TimeRemainingColumn,
        )

        self._progress = Progress(
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.description}"),
            console=Console(stderr=True),
        )
        self._task = self._progress.add_task("", total=steps)

    def __enter__(self) -> _Bar:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def update(self, step: int, losses: dict[str, float]) -> None:
        """Show a step's losses."""
        text = "  ".join(f"{name} {value:.4f}" for name, value in losses.items())
        self._progress.update(self._task, completed=step + 1, description=text)
