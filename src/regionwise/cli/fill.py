"""`regionwise fill`: one photo, or a folder of them."""

from __future__ import annotations

import json
import signal
import sys
import threading
import warnings
from collections import Counter
from collections.abc import Callable, Generator, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from regionwise.cli import tell, with_flags
from regionwise.cli.bars import fill_bar, photo_bar
from regionwise.cli.fill_options import with_fill_options
from regionwise.errors import (
    MaskError,
    ModelError,
    OutputError,
    RegionwiseError,
    RegionwiseWarning,
)
from regionwise.filling.options import FillOptions
from regionwise.filling.shard import parse_shard

if TYPE_CHECKING:
    from regionwise.engines.engine import Engine
    from regionwise.filling.folder_jobs import Job
    from regionwise.filling.outcome import FillOutcome

_PIPE = "-"


@with_fill_options()
def command(
    photo: Annotated[
        str, typer.Argument(help="A photo, a folder of photos, an address, or - for a pipe.")
    ],
    mask: Annotated[
        str | None,
        typer.Argument(help="White is filled. A picture of the photo's size, or a folder of them."),
    ] = None,
    output: Annotated[
        str | None,
        typer.Option(
            "--output",
            "-o",
            help="Where the result goes, - for a pipe; PHOTO_filled beside the photo if not given.",
        ),
    ] = None,
    masks: Annotated[
        str | None,
        typer.Option(help="The same as MASK: a folder of masks, or one mask for all photos."),
    ] = None,
    count: Annotated[
        int, typer.Option(min=1, help="How many answers for each hole, by a model that draws.")
    ] = 1,
    workers: Annotated[
        int, typer.Option(min=1, help="How many processes share the photos of a folder.")
    ] = 1,
    shard: Annotated[
        str | None,
        typer.Option(metavar="I/N", help="Fill only part I of N of a folder."),
    ] = None,
    outcomes: Annotated[
        Path | None,
        typer.Option(help="Add a row for each photo of a folder to this .jsonl or .parquet file."),
    ] = None,
    watch: Annotated[
        bool,
        typer.Option("--watch", help="Go on, and fill what is put into the folder, until Ctrl-C."),
    ] = False,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace results that exist already.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Write a report as JSON to stdout.")
    ] = False,
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="Print only what was not filled.")
    ] = False,
    **options: Any,
) -> int:
    """Fill the hole of a photo, or of all photos in a folder.

    \b
    regionwise fill photo.jpg mask.png             writes photo_filled.jpg
    regionwise fill photo.jpg mask.png -o new.png  another name or format
    regionwise fill photo.jpg --box 40,30,100,80   a rectangle instead of a mask
    regionwise fill photo.jpg --box 0,0,9,9 --box -60,-40,50,30   two, one at the lower right
    regionwise fill photo.jpg painted.png          painted: a copy of the photo with paint on it
    regionwise fill cutout.png                     fills transparent pixels
    regionwise fill photo.jpg mask.png --grow 4    a mask that was drawn too tight
    regionwise fill photo.jpg mask.png --ensemble  smoother, in five times the time
    regionwise fill photos --masks masks -o done   a folder and its sub-folders
    regionwise fill photos watermark.png --workers 4   several photos at once
    regionwise fill photos --watch                 fills what other programs save there
    regionwise fill photo.jpg mask.png --model patchmatch --count 4   four answers to choose from

    White in the mask is filled; each pixel that it leaves black stays as it is. In a folder of
    masks that of a.jpg is a.png or a_mask.png. A folder run that was stopped goes on where it
    stopped when the same command is given again. A photo whose mask is empty is "unchanged".

    Exit code: 0 all is done, 1 some photos of a folder failed, 2 nothing is done or it was stopped.
    """
    report: dict[str, Any] = {"model": options["model"]}
    if quiet:
        warnings.simplefilter("ignore", RegionwiseWarning)
    try:
        options["box"] = options["box"] or None
        chosen = FillOptions(**options)
        if mask is not None and masks is not None:
            raise MaskError("both MASK and --masks were given; give one of them")
        is_folder = Path(photo).is_dir()
        call = _Call(
            photo=photo,
            mask=mask or masks,
            output=output,
            options=chosen,
            count=count,
            workers=workers,
            shard=shard,
            outcomes=outcomes,
            overwrite=overwrite,
            quiet=quiet,
            as_json=as_json,
            report=report,
        )
        call.check(is_folder=is_folder)
        if watch and (as_json or count > 1 or workers > 1 or shard or outcomes):
            raise RegionwiseError(
                "--watch goes without --json, --count, --workers, --shard and --outcomes"
            )
        if workers == 1:
            call.open_first()
        with _terminated_like_ctrl_c():
            if watch:
                return _watch_folder(call)
            return _fill_folder(call) if is_folder else _fill_photo(call)
    except (RegionwiseError, MemoryError, KeyboardInterrupt) as error:
        report["error"] = with_flags(str(error)) or type(error).__name__
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


@dataclass
class _Call:
    """What the command was called with, and the report that it fills."""

    photo: str
    mask: str | None
    output: str | None
    options: FillOptions
    count: int
    workers: int
    shard: str | None
    outcomes: Path | None
    overwrite: bool
    quiet: bool
    as_json: bool
    report: dict[str, Any]
    _first: Engine | None = None

    @property
    def shows_progress(self) -> bool:
        return not self.quiet and sys.stderr.isatty()

    def say(self, line: str) -> None:
        """Tell of what was done, on stdout where no picture goes there."""
        if self.quiet or self.as_json:
            return
        piped = _PIPE in (self.output, None if self.output else self.photo)
        print(line, file=sys.stderr if piped else sys.stdout, flush=True)

    def check(self, *, is_folder: bool) -> None:
        """Refuse what doesn't go together.

        Raises:
            RegionwiseError: with one line.
        """
        if self.photo == _PIPE and self.mask == _PIPE:
            raise MaskError("both the photo and the mask are -; give a file for one of them")
        piped = self.output == _PIPE or (self.output is None and self.photo == _PIPE)
        if piped and (self.as_json or self.count > 1 or is_folder):
            raise OutputError("one picture alone goes to standard output; give a file with -o")
        if not is_folder and (self.workers > 1 or self.shard or self.outcomes):
            raise RegionwiseError(
                f"--workers, --shard and --outcomes are for a folder; {self.photo} is not one"
            )

    def open_engine(self, number: int) -> Engine:
        """The engine of an answer."""
        from regionwise.engines.zoo import load_model

        chosen = self.options
        return load_model(chosen.model, chosen.device, seed=chosen.seed + number)

    def open_first(self) -> None:
        """Begin to open the first engine, while what reads photos is imported."""
        self._first = self.open_engine(0)

    def opener(self, options: FillOptions) -> Callable[[], Engine]:
        """What opens the engine of an answer in a worker."""
        from regionwise.engines.zoo import load_model
        from regionwise.filling.workers import threads_of

        return partial(
            load_model,
            options.model,
            options.device,
            seed=options.seed,
            threads=threads_of(self.workers),
        )

    def answers(self) -> Iterator[tuple[Engine | None, FillOptions, str]]:
        """Each answer's engine, opened when its turn comes, options, and end of its file's name.

        Workers open their own engines.
        """
        from regionwise.filling.fill import fill_draws

        for number in range(self.count):
            engine = None
            if self.workers == 1 or self.count > 1:
                engine = self._first if number == 0 and self._first else self.open_engine(number)
            if self.count > 1 and engine is not None and not fill_draws(engine, self.options):
                raise ModelError(
                    f"{self.report['model']} draws no numbers: all {self.count} answers would be "
                    "the same; leave --count out, or give one that draws, as --model auto or sharp"
                )
            options = replace(self.options, seed=self.options.seed + number)
            yield engine, options, f"_{number + 1}" if self.count > 1 else ""


def _fill_photo(call: _Call) -> int:
    from regionwise.filling.mask_folder import MaskFolder
    from regionwise.filling.place import file_name, fill_place

    mask = call.mask
    if mask is not None and Path(mask).is_dir():
        mask = str(MaskFolder(Path(mask)).find(Path(Path(call.photo).name)))
    outcomes = []
    for engine, options, ending in call.answers():
        assert engine is not None
        with fill_bar(call.shows_progress) as progress:
            outcome = fill_place(
                call.photo,
                mask,
                call.output,
                engine,
                options,
                ending=ending,
                overwrite=call.overwrite,
                progress=progress,
            )
        outcomes.append(_as_data(outcome))
        _tell_troubles(outcome, quiet=call.quiet)
        name = file_name(call.photo)
        if outcome.status == "filled":
            written = "standard output" if outcome.output == _PIPE else outcome.output
            call.say(
                f"{written}: filled {outcome.hole_ratio:.1%} of {name} in {outcome.seconds:.1f} s"
            )
    call.report.update(outcomes[0] if len(outcomes) == 1 else {"answers": outcomes})
    return 0


def _with_ending(output: Path, ending: str) -> Path:
    return output.with_name(output.stem + ending + output.suffix)


def _output_folder(call: _Call) -> Path:
    home = Path(call.photo).resolve()
    return Path(call.output) if call.output else home.with_name(f"{home.name}_filled")


def _watch_folder(call: _Call) -> int:
    from regionwise.cli.watch import watch

    def told(outcome: FillOutcome) -> None:
        _tell_troubles(outcome, quiet=call.quiet)
        if outcome.status == "filled":
            call.say(f"{outcome.output}: filled {outcome.hole_ratio:.1%} of {outcome.photo}")

    output = _output_folder(call)
    call.say(f"{call.photo} is watched; results go to {output}; Ctrl-C ends it")
    masks = None if call.mask is None else Path(call.mask)
    engine, options, _ = next(call.answers())
    assert engine is not None
    return watch(Path(call.photo), masks, output, engine, options, told)


def _fill_folder(call: _Call) -> int:
    from regionwise.filling.folder import make_folder, remove_leftovers
    from regionwise.filling.folder_jobs import find_jobs
    from regionwise.filling.outcome import STATUSES
    from regionwise.filling.outcome_files import OutcomeFile

    photos_folder = Path(call.photo)
    output = _output_folder(call)
    shard = None if call.shard is None else parse_shard(call.shard)
    jobs = find_jobs(photos_folder, None if call.mask is None else Path(call.mask), output, shard)
    make_folder(output)
    remove_leftovers(output)
    photos = call.report["photos"] = []
    counts: Counter[str] = Counter(dict.fromkeys(STATUSES, 0))
    rows = None if call.outcomes is None else OutcomeFile(call.outcomes, shard)
    try:
        with photo_bar(len(jobs) * call.count, call.shows_progress) as step:
            for engine, options, ending in call.answers():
                named = [replace(job, output=_with_ending(job.output, ending)) for job in jobs]
                with closing(_outcomes(call, named, engine, options)) as found:
                    for outcome in found:
                        if rows is not None:
                            rows.add(outcome)
                        if call.as_json:
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
        if rows is not None:
            rows.close()
    unchanged = f"{counts['unchanged']} unchanged as their masks are empty, "
    call.say(
        f"{output}: {counts['filled']} filled, {unchanged if counts['unchanged'] else ''}"
        f"{counts['skipped']} skipped as they exist already, {counts['failed']} failed"
    )
    return 1 if counts["failed"] else 0


def _outcomes(
    call: _Call, jobs: list[Job], engine: Engine | None, options: FillOptions
) -> Generator[FillOutcome, None, None]:
    """Fill in this process, or in several."""
    from regionwise.filling.folder import fill_folder
    from regionwise.filling.workers import fill_folder_in_processes

    if call.workers == 1 and engine is not None:
        return fill_folder(jobs, engine, options, overwrite=call.overwrite)
    return fill_folder_in_processes(
        jobs, call.opener(options), options, workers=call.workers, overwrite=call.overwrite
    )


def _as_data(outcome: FillOutcome) -> dict[str, Any]:
    """An outcome for the report."""
    row = outcome.as_row()
    kept = {"photo": row["photo"], "output": row["output"], "status": row["status"]}
    if outcome.status == "failed":
        kept["error"] = with_flags(outcome.error)
    if outcome.status in ("filled", "unchanged"):
        for name in ("hole_ratio", "seconds", "mask_reading", "format", "frames", "warnings"):
            kept[name] = row[name]
    return kept


def _tell_troubles(outcome: FillOutcome, *, quiet: bool) -> None:
    photo = outcome.photo
    if outcome.error:
        tell(with_flags(f"failed: {photo}: {outcome.error.removeprefix(photo).strip()}"))
    if outcome.status == "unchanged":
        tell(f"unchanged: {photo}: {'; '.join(outcome.warnings)}")
        return
    for warning in () if quiet else outcome.warnings:
        tell(with_flags(f"warning: {photo}: {warning}"))
