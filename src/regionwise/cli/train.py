"""`regionwise train`."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from regionwise.recipe import Recipe
    from regionwise.training.loop import TrainingOutcome
    from regionwise.training.run_folder import Run
    from regionwise.training.settings import TrainingSettings


def command(
    recipe: Annotated[
        Path | None, typer.Argument(help="A recipe: a file, or a shipped one's name, such as tiny.")
    ] = None,
    photos: Annotated[
        list[Path] | None,
        typer.Option("--photos", "-p", help="Folder, tar shard, list (.txt) or photo; repeatable."),
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Folder of the run, made if need be.")
    ] = None,
    resume: Annotated[
        Path | None,
        typer.Option("--resume", metavar="RUN", help="Go on with a run; nothing else is needed."),
    ] = None,
    changes: Annotated[
        list[str] | None,
        typer.Option(
            "--set", metavar="KEY=VALUE", help="Another value in the recipe; repeatable, see above."
        ),
    ] = None,
    show: Annotated[
        bool, typer.Option("--show", help="Print the recipe with all values and its costs; no run.")
    ] = False,
    probe: Annotated[
        bool,
        typer.Option("--probe", help="With --show: what each loss gives to the gradient; a step."),
    ] = False,
    masks: Annotated[
        list[Path] | None,
        typer.Option(help="Holes from files in place of drawn ones: folder or tar; repeatable."),
    ] = None,
    invert_masks: Annotated[
        bool, typer.Option("--invert-masks", help="With --masks: black = missing.")
    ] = False,
    vgg: Annotated[
        Path | None, typer.Option(help="ImageNet weights of VGG (.pth), where no network is.")
    ] = None,
    darknet: Annotated[
        Path | None,
        typer.Option(help="Weights of Darknet (.npz), if a loss compares its features."),
    ] = None,
    minutes: Annotated[
        float | None,
        typer.Option(help="Stop after this long, with a checkpoint, to be resumed.", min=0),
    ] = None,
    held_out: Annotated[
        bool, typer.Option(help="Keep every twentieth photo, by name, to validate on.")
    ] = True,
    validate_on: Annotated[
        list[Path] | None,
        typer.Option(help="Validate on these photos instead, and train on all others; repeatable."),
    ] = None,
    workers: Annotated[
        int | None, typer.Option(help="Processes that read photos, for each device. [2]", min=0)
    ] = None,
    accelerator: Annotated[str | None, typer.Option(help="auto, cpu, cuda or mps. [auto]")] = None,
    devices: Annotated[
        int | None, typer.Option(help="GPUs or CPU processes of this machine. [1]", min=1)
    ] = None,
    nodes: Annotated[int | None, typer.Option(help="Machines. [1]", min=1)] = None,
    compile_: Annotated[
        bool | None, typer.Option("--compile", help="Compile the generator: minutes first.")
    ] = None,
    checkpoint_gradients: Annotated[
        bool | None,
        typer.Option("--spare-memory", help="Compute blocks twice rather than keep them."),
    ] = None,
    checkpoint_minutes: Annotated[
        float | None, typer.Option("--save-minutes", help="Save at least this often. [10]", min=0)
    ] = None,
    keep_best: Annotated[
        int | None, typer.Option(help="Keep the weights of so many best validations. [1]", min=1)
    ] = None,
    keep_steps: Annotated[
        int | None, typer.Option(help="Keep the state after each so many steps.", min=1)
    ] = None,
    lpips: Annotated[
        str | None,
        typer.Option(help="LPIPS at validations: alex or vgg, :FOLDER for weights from there."),
    ] = None,
    wandb: Annotated[
        str | None, typer.Option(metavar="PROJECT", help="Send numbers to Weights & Biases, too.")
    ] = None,
    mlflow: Annotated[
        str | None, typer.Option(metavar="EXPERIMENT", help="Send numbers to MLflow, too.")
    ] = None,
) -> int:
    """Train a network by a recipe.

    \b
    Start:     regionwise train tiny --photos my_photos -o runs/tiny
    Go on:     regionwise train --resume runs/tiny
    Look:      regionwise train madf --show
               tensorboard --logdir runs
    Use:       regionwise fill photo.jpg mask.png --model runs/tiny/best.pt

    \b
    Any value of the recipe can be set; phases and losses are named by their names:
               --set optimizer.lr=1e-4 --set batch=8     in all phases
               --set phases.texture.losses.adversarial.weight=0.2

    Ctrl-C and SIGTERM save and stop. The folder of the run holds last.pt (all that is needed to
    go on), best.pt (the averaged weights that were best on held-out photos), previews, the
    recipe in run.yaml, and what TensorBoard shows. Under torchrun or SLURM every process
    takes its share of each batch: nothing else changes. What they begin anew after a process was
    lost goes on from last.pt.
    """
    from regionwise.errors import RecipeError
    from regionwise.recipe import find_recipe, override, read_recipe
    from regionwise.training.run_folder import Run, read_run
    from regionwise.training.settings import is_begun_anew

    given = {
        "workers": workers,
        "accelerator": accelerator,
        "devices": devices,
        "nodes": nodes,
        "compile": compile_,
        "checkpoint_gradients": checkpoint_gradients,
        "checkpoint_minutes": checkpoint_minutes,
        "keep_best": keep_best,
        "keep_steps": keep_steps,
        "lpips": lpips,
        "wandb": wandb,
        "mlflow": mlflow,
        "vgg": str(vgg.resolve()) if vgg else None,
        "darknet": str(darknet.resolve()) if darknet else None,
    }
    settings: dict[str, Any] = {key: value for key, value in given.items() if value is not None}
    if resume is not None:
        if recipe is not None or changes or masks:
            raise RecipeError(
                f"--resume {resume}: the run has its recipe, in run.yaml; give --resume alone"
            )
        run = read_run(resume)
        sources = tuple(photos) if photos else run.photos
        run = replace(run, photos=sources, settings=run.settings | settings)
        return _train(run, resume, minutes)
    if recipe is None:
        raise RecipeError("give a recipe, such as tiny, or --resume RUN")
    plan = override(
        read_recipe(find_recipe(recipe)),
        _with_masks(changes or [], masks or [], invert=invert_masks),
    )
    validation = tuple(validate_on or ())
    held_out = held_out and not validation
    if show:
        _show(plan, photos or [], held_out)
        if probe:
            _probe(plan, photos or [], {"vgg": vgg, "darknet": darknet})
        return 0
    if not photos or output is None:
        raise RecipeError(f"{recipe}: to train it give --photos DIR and --output RUN")
    if is_begun_anew() and (output / "last.pt").exists():
        begun = read_run(output)
        return _train(replace(begun, settings=begun.settings | settings), output, minutes)
    _claim(output)
    run = Run(plan, tuple(photos), held_out, settings, validation)
    return _train(run, output, minutes)


def _with_masks(changes: list[str], masks: list[Path], *, invert: bool) -> list[str]:
    """Settings of the recipe, with those that `--masks` is short for."""
    if not masks:
        return changes
    files = ", ".join(f'"{mask.resolve()}"' for mask in masks)
    told = [f"holes.masks=[{files}]", "holes.mixture={stored: 1}"]
    return [*changes, *told, *(["holes.invert=true"] if invert else [])]


def _tell_fewer_workers(asked: int) -> None:
    from regionwise.data.batches import usable_cores

    if asked > usable_cores():
        print(
            f"regionwise: --workers {asked}: this process may use {usable_cores()} "
            f"core{'s' if usable_cores() > 1 else ''}, so no more processes read photos",
            file=sys.stderr,
        )


def _claim(output: Path) -> None:
    """Refuse a folder that holds a checkpoint; what failed before one may be started again."""
    from regionwise.errors import OutputError
    from regionwise.training.settings import is_first_process

    if is_first_process() and (output / "last.pt").exists():
        raise OutputError(
            f"{output} holds a run; go on with --resume {output}, or give another folder"
        )


def _train(run: Run, folder: Path, minutes: float | None) -> int:
    from regionwise.cli.training_display import TrainingDisplay
    from regionwise.data.photo_sources import find_photos
    from regionwise.training.loop import train
    from regionwise.training.rehearsal import rehearse
    from regionwise.training.run_folder import split, write_run
    from regionwise.training.settings import TrainingSettings, is_first_process

    photos, held_out = split(find_photos(run.photos), held_out=run.held_out)
    if run.validate_on:
        held_out = find_photos(run.validate_on)
    rehearse(run.recipe)
    options = dict(run.settings)
    names = ("vgg", "darknet")
    files = {name: Path(options.pop(name)) for name in names if name in options}
    settings = TrainingSettings(run=folder, minutes=minutes, feature_files=files, **options)
    recipe = _with_precision(run.recipe, settings)
    if is_first_process():
        _tell_fewer_workers(run.settings.get("workers", 0))
        write_run(replace(run, recipe=recipe), folder)
    with TrainingDisplay() as display:
        outcome = train(recipe, photos, held_out, settings, report=display.update)
    if is_first_process():
        print(_verdict(outcome, folder))
    # torchrun takes any other code for a crash, and tells it with a traceback.
    return 2 if outcome.by_signal and "TORCHELASTIC_RUN_ID" not in os.environ else 0


def _with_precision(recipe: Recipe, settings: TrainingSettings) -> Recipe:
    """The recipe with a precision in place of "auto", and a line that says which."""
    from regionwise.training.precision import with_chosen_precision
    from regionwise.training.settings import is_first_process

    chosen = with_chosen_precision(recipe, settings)
    if chosen != recipe and is_first_process():
        print(f"precision: {chosen.precision}, which is the faster one here", file=sys.stderr)
    return chosen


def _verdict(outcome: TrainingOutcome, folder: Path) -> str:
    from regionwise.cli.training_display import beside_the_membrane

    scores = beside_the_membrane(outcome.scores, outcome.membrane)
    scores = f" (held-out photos: {scores})" if scores else ""
    if outcome.stopped:
        return (
            f"{folder}: stopped after {outcome.done} of {outcome.steps} steps ({outcome.stopped})"
            f"{scores}; go on with: regionwise train --resume {folder}"
        )
    best = "best.pt" if (folder / "best.pt").exists() else "last.pt"
    return (
        f"{folder}: trained {outcome.steps} steps{scores}; "
        f"fill with: regionwise fill PHOTO MASK --model {folder / best}"
    )


def _probe(recipe: Recipe, sources: list[Path], files: dict[str, Path | None]) -> None:
    """Print each term's share of the generator's gradient, and which terms do nothing."""
    from regionwise.data.photo_sources import find_photos
    from regionwise.training.gradient_budget import idle_terms
    from regionwise.training.probe import probe

    given = {name: file for name, file in files.items() if file is not None}
    for found in probe(recipe, find_photos(sources) if sources else [], given):
        print(f"# phase {found.phase}: share of the generator's gradient at its first step")
        for label, value in found.values.items():
            share = found.shares.get(label, 0.0)
            print(f"#   {label}: {100 * share:.3g} % (its value, not weighted: {value:.4g})")
        for words in idle_terms(found.shares):
            print(f"#   warning: {words}")


def _show(recipe: Recipe, sources: list[Path], held_out: bool) -> None:
    """Print the recipe with all its values, and what its networks and phases cost."""
    from regionwise.data.photo_sources import find_photos
    from regionwise.models.registry import create_model
    from regionwise.recipe import to_yaml
    from regionwise.training.costs import parameter_count, phase_costs, phase_discriminator
    from regionwise.training.rehearsal import rehearse
    from regionwise.training.run_folder import split
    from regionwise.training.timetable import timetable

    rehearse(recipe)
    print(to_yaml(recipe))
    generator = create_model(recipe.model.name, **recipe.model.options)
    print(f"# generator: {parameter_count(generator) / 1e6:.3f} M parameters")
    count = len(split(find_photos(sources), held_out=held_out)[0]) if sources else None
    steps = [f"{s.end - s.start} steps" for s in timetable(recipe, count)] if count else []
    for number, phase in enumerate(recipe.phases):
        discriminator = phase_discriminator(recipe, phase)
        costs = phase_costs(recipe, phase, generator, discriminator)
        length = steps[number] if steps else str(phase.length)
        print(
            f"# phase {phase.name}: {length}; a picture of {phase.data.size}×{phase.data.size}: "
            f"{costs.multiplications / 1e9:.2f} G multiply-accumulates forward, "
            f"{costs.kept / 1e6:.0f} MB kept for its gradient; a step on one device in fp32: about "
            f"{costs.memory / 1e9:.1f} GB, and feature networks"
        )
        if discriminator is not None:
            print(f"#   discriminator: {parameter_count(discriminator) / 1e6:.3f} M parameters")
