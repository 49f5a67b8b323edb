"""`regionwise fill`: one photo, or a folder of them."""

from __future__ import annotations

import json
import signal
import sys
import threading
import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from regionwise.cli import tell
from regionwise.cli.fill_options import with_fill_options
from regionwise.errors import MaskError, ModelError, RegionwiseError, RegionwiseWarning
from regionwise.filling.options import FillOptions

if TYPE_CHECKING:
    from regionwise.engines.engine import Engine
    from regionwise.filling.fill import ReportProgress
    from regionwise.filling.folder import FillOutcome

_PATIENCE = 1.0
"""Seconds after which a single photo gets a progress bar, if more than a quarter is left to do."""


@with_fill_options
def command(
    photo: Annotated[Path, typer.Argument(help="A photo, or a folder of photos.")],
    mask: Annotated[
        Path | None,
        typer.Argument(help="White is filled. A picture of the photo's size, or a folder of them."),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            help="Where the result goes; PHOTO_filled beside the photo if not given.",
        ),
    ] = None,
    masks: Annotated[
        Path | None,
        typer.Option(help="The same as MASK: a folder of masks, or one mask for all photos."),
    ] = None,
    count: Annotated[
        int, typer.Option(min=1, help="So many answers for each hole, of a model that draws.")
    ] = 1,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace results that exist already.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Write a report as JSON to stdout.")
    ] = False,
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="Say nothing but what failed.")
    ] = False,
    **options: Any,
) -> int:
    """Fill the hole of a photo, or of all photos in a folder.

    \b
    regionwise fill photo.jpg mask.png             writes photo_filled.jpg
    regionwise fill photo.jpg mask.png -o new.png  another name or format
    regionwise fill photo.jpg --box 40,30,100,80   a rectangle instead of a mask
    regionwise fill cutout.png                     fills transparent pixels
    regionwise fill photo.jpg mask.png --grow 4    a mask that was drawn too tight
    regionwise fill photo.jpg mask.png --ensemble  smoother, in five times the time
    regionwise fill photos --masks masks -o done   a folder and its sub-folders
    regionwise fill photo.jpg mask.png --model patchmatch --count 4   four answers to choose from

    White in the mask is filled; each pixel that it leaves black stays as it is. In a folder of
    masks that of a.jpg is a.png or a_mask.png. A folder run that was stopped goes on where it
    stopped when the same command is given again.

    Exit code: 0 all filled, 1 some photos of a folder failed, 2 nothing was done or it was stopped.
    """
    from regionwise.engines.zoo import load_model

    report: dict[str, Any] = {"model": options["model"]}
    if quiet:
        warnings.simplefilter("ignore", RegionwiseWarning)
    try:
        chosen = FillOptions(**options)
        if mask is not None and masks is not None:
            raise MaskError("both MASK and --masks were given; give one of them")

        def open_engine(number: int) -> Engine:
            return load_model(chosen.model, chosen.device, seed=chosen.seed + number)

        first = open_engine(0)  # goes on in the background, while what reads photos is imported
        call = _Call(
            photo=photo,
            mask=mask or masks,
            output=output,
            options=chosen,
            engines=[lambda: first, *(partial(open_engine, number) for number in range(1, count))],
            overwrite=overwrite,
            quiet=quiet,
            talks=not (quiet or as_json),
            shows_progress=not quiet and sys.stderr.isatty(),
            report=report,
        )
        with _terminated_like_ctrl_c():
            return _fill_folder(call) if photo.is_dir() else _fill_photo(call)
    except (RegionwiseError, MemoryError, KeyboardInterrupt) as error:
        report["error"] = str(error) or type(error).__name__
        raise
    finally:
        if as_json:
            print(json.dumps(report, indent=2))


@contextmanager
def _terminated_like_ctrl_c() -> Iterator[None]:
    """Let SIGTERM (a container or a service that ends) stop as cleanly as Ctrl-C does."""
    if threading.current_thread() is not threading.main_thread():  # no signal comes here
        yield
        return
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@dataclass(frozen=True)
class _Call:
    """What the command was called with, and the report that it fills."""

    photo: Path
    mask: Path | None
    output: Path | None
    options: FillOptions
    engines: list[Callable[[], Engine]]
    overwrite: bool
    quiet: bool
    talks: bool
    shows_progress: bool
    report: dict[str, Any]

    def say(self, line: str) -> None:
        if self.talks:
            print(line)

    def answers(self) -> Iterator[tuple[Engine, FillOptions, str]]:
        """Each answer's engine, opened when its turn comes, options, and end of its file's name."""
        count = len(self.engines)
        for number, open_engine in enumerate(self.engines, start=1):
            engine = open_engine()
            if count > 1 and not engine.traits.draws:
                raise ModelError(
                    f"{self.report['model']} draws no numbers: all {count} answers would be the "
                    "same; leave --count out, or give a model that draws, as patchmatch"
                )
            options = replace(self.options, seed=self.options.seed + number - 1)
            yield engine, options, f"_{number}" if count > 1 else ""


def _fill_photo(call: _Call) -> int:
    from regionwise.filling.folder import Job, fill_file, find_masks

    photo = call.photo
    output = call.output or photo.with_name(f"{photo.stem}_filled{photo.suffix}")
    if output.is_dir():
        output = output / photo.name
    mask = None if call.mask is None else find_masks(call.mask)
    outcomes = []
    for engine, options, ending in call.answers():
        job = Job(photo, Path(photo.name), mask, _with_ending(output, ending))
        with _fill_bar(call.shows_progress) as progress:
            outcome = fill_file(job, engine, options, overwrite=call.overwrite, progress=progress)
        outcomes.append(_as_data(outcome))
        _tell_troubles(outcome, quiet=call.quiet)
        call.say(
            f"{job.output}: filled {outcome.hole_ratio:.1%} of {photo} in {outcome.seconds:.1f} s"
        )
    call.report.update(outcomes[0] if len(outcomes) == 1 else {"answers": outcomes})
    return 0


def _with_ending(output: Path, ending: str) -> Path:
    return output.with_name(output.stem + ending + output.suffix)


def _fill_folder(call: _Call) -> int:
    from regionwise.filling.folder import fill_folder, find_jobs, make_folder

    home = call.photo.resolve()
    output = call.output or home.with_name(f"{home.name}_filled")
    jobs = find_jobs(call.photo, call.mask, output)
    make_folder(output)
    photos = call.report["photos"] = []
    counts = Counter({"filled": 0, "skipped": 0, "failed": 0})
    try:
        with _photo_bar(len(jobs) * len(call.engines), call.shows_progress) as step:
            for engine, options, ending in call.answers():
                named = [replace(job, output=_with_ending(job.output, ending)) for job in jobs]
                for outcome in fill_folder(named, engine, options, overwrite=call.overwrite):
                    photos.append(_as_data(outcome))
                    counts[outcome.status] += 1
                    _tell_troubles(outcome, quiet=call.quiet)
                    step()
    except KeyboardInterrupt:
        raise RegionwiseError(
            f"stopped after {counts['filled']} photos; "
            "the same command goes on where it stopped, and no half file is left"
        ) from None
    finally:
        call.report.update(counts)
    call.say(
        f"{output}: {counts['filled']} filled, {counts['skipped']} skipped as they exist already, "
        f"{counts['failed']} failed"
    )
    return 1 if counts["failed"] else 0


def _as_data(outcome: FillOutcome) -> dict[str, Any]:
    """An outcome for the report."""
    data: dict[str, Any] = {
        "photo": str(outcome.job.photo),
        "output": str(outcome.job.output),
        "status": outcome.status,
    }
    if outcome.status == "failed":
        data["error"] = outcome.error
    if outcome.status == "filled":
        data["hole_ratio"] = round(outcome.hole_ratio, 6)
        data["seconds"] = round(outcome.seconds, 3)
        data["warnings"] = list(outcome.warnings)
    return data


def _tell_troubles(outcome: FillOutcome, *, quiet: bool) -> None:
    photo = outcome.job.photo
    if outcome.error:
        tell(f"failed: {photo}: {outcome.error.removeprefix(str(photo)).strip()}")
    for warning in () if quiet else outcome.warnings:
        tell(f"warning: {photo}: {warning}")


@contextmanager
def _photo_bar(count: int, shown: bool) -> Iterator[Callable[[], None]]:
    """A progress bar over photos on stderr; gives what to call after each."""
    if not shown:
        yield lambda: None
        return
    with _bar() as bar:
        task = bar.add_task("photos", total=count)
        yield lambda: bar.advance(task)


@contextmanager
def _fill_bar(shown: bool) -> Iterator[ReportProgress]:
    """A progress bar for one photo, if it takes long."""
    started = time.monotonic()
    with ExitStack() as stack:
        tasks: list[tuple[Any, Any]] = []

        def step(share: float) -> None:
            waited = time.monotonic() - started > _PATIENCE
            if shown and not tasks and waited and share < 0.75:
                bar = stack.enter_context(_bar())
                tasks.append((bar, bar.add_task("filling", total=1.0)))
            for bar, task in tasks:
                bar.update(task, completed=share)

        yield step


def _bar() -> Any:
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        Progress,
        TaskProgressColumn,
        TextColumn,
        TimeRemainingColumn,
    )

    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn())
    return Progress(*columns, TimeRemainingColumn(), console=Console(stderr=True), transient=True)
