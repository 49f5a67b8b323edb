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
from pathlib import Path, PurePosixPath
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
    from regionwise.filling.folder_jobs import Jobs
    from regionwise.filling.outcome import FillOutcome
    from regionwise.photos.stored_files import Place

_PIPE = "-"


@with_fill_options()
def command(
    photo: Annotated[
        str,
        typer.Argument(help="A photo, a folder or tar of them, an address, or - for a pipe."),
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
        int | None,
        typer.Option(min=1, help="How many processes share the photos of a folder."),
    ] = None,
    shard: Annotated[
        str | None,
        typer.Option(metavar="I/N", help="Fill only part I of N of a folder."),
    ] = None,
    outcomes: Annotated[
        Path | None,
        typer.Option(help="Add a row for each photo of a folder to this .jsonl or .parquet file."),
    ] = None,
    on: Annotated[
        str | None,
        typer.Option(metavar="ray[:ADDRESS]", help="Share a folder's photos on a Ray cluster."),
    ] = None,
    gpus: Annotated[
        float, typer.Option(min=0, help="With --on: GPUs of each worker; 0.25 is a quarter.")
    ] = 0,
    per_tar: Annotated[
        int | None,
        typer.Option(min=1, help="With --on: write tars of this many photos in place of files."),
    ] = None,
    watch: Annotated[
        bool,
        typer.Option("--watch", help="Go on, and fill what is put into the folder, until Ctrl-C."),
    ] = False,
    steady: Annotated[
        bool,
        typer.Option("--steady", help="The photos are frames of a video: keep holes from flicker."),
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
    regionwise fill frames --masks logo.png --steady   frames of a video
    regionwise fill s3://bucket/photos -o s3://bucket/done --on ray   by a cluster
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
        from regionwise.filling.folder_jobs import is_home_of_photos

        is_folder = is_home_of_photos(photo)
        call = _Call(
            photo=photo,
            mask=mask or masks,
            output=output,
            options=chosen,
            count=count,
            workers=workers,
            shard=shard,
            outcomes=outcomes,
            on=on,
            gpus=gpus,
            per_tar=per_tar,
            steady=steady,
            overwrite=overwrite,
            quiet=quiet,
            as_json=as_json,
            report=report,
        )
        call.check(is_folder=is_folder)
        if steady and (watch or shard or not is_folder or not call.is_alone):
            raise RegionwiseError(
                "--steady is for a folder whose photos are filled one after the other; it goes "
                "without --workers, --on, --shard and --watch"
            )
        if watch and (as_json or count > 1 or not call.is_alone or shard or outcomes):
            raise RegionwiseError(
                "--watch goes without --json, --count, --workers, --on, --shard and --outcomes"
            )
        if call.is_alone:
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
    workers: int | None
    shard: str | None
    outcomes: Path | None
    on: str | None
    gpus: float
    per_tar: int | None
    steady: bool
    overwrite: bool
    quiet: bool
    as_json: bool
    report: dict[str, Any]
    _first: Engine | None = None

    @property
    def shows_progress(self) -> bool:
        return not self.quiet and sys.stderr.isatty()

    @property
    def is_alone(self) -> bool:
        """Whether this process does all the work."""
        return self.on is None and self.workers in (None, 1)

    def say(self, line: str) -> None:
        """Tell of what was done, on stdout where no picture goes there."""
        if self.quiet or self.as_json:
            return
        piped = _PIPE in (self.output, None if self.output else self.photo)
        print(line, file=sys.stderr if piped else sys.stdout, flush=True)

    def warn(self, line: str) -> None:
        """Tell of what may not be as it was meant."""
        if not self.quiet:
            tell(f"warning: {line}")

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
        if not is_folder and (not self.is_alone or self.shard or self.outcomes):
            raise RegionwiseError(
                f"--workers, --on, --shard and --outcomes are for a folder; {self.photo} is not one"
            )
        if self.on is None and (self.per_tar or self.gpus):
            raise RegionwiseError("--per-tar and --gpus go with --on; add --on ray")

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
            threads=threads_of(self.workers or 1),
        )

    def answers(self) -> Iterator[tuple[Engine | None, FillOptions, str]]:
        """Each answer's engine, opened when its turn comes, options, and end of its file's name.

        Workers open their own engines.
        """
        from regionwise.filling.fill_photo import fill_draws

        for number in range(self.count):
            engine = None
            if self.is_alone or self.count > 1:
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
        mask = str(MaskFolder(Path(mask)).find(PurePosixPath(Path(call.photo).name)))
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


def _watch_folder(call: _Call) -> int:
    from regionwise.cli.watch import watch
    from regionwise.photos.stored_files import is_address

    def told(outcome: FillOutcome) -> None:
        _tell_troubles(outcome, quiet=call.quiet)
        if outcome.status == "filled":
            call.say(f"{outcome.output}: filled {outcome.hole_ratio:.1%} of {outcome.photo}")

    output = _results_of(call)
    if not isinstance(output, Path) or any(map(is_address, (call.photo, call.mask or ""))):
        raise RegionwiseError("--watch is for folders of this computer; addresses are not watched")
    masks = None if call.mask is None else Path(call.mask)
    call.say(f"{call.photo} is watched; results go to {output}; Ctrl-C ends it")
    engine, options, _ = next(call.answers())
    assert engine is not None
    return watch(Path(call.photo), masks, output, engine, options, told)


def _fill_folder(call: _Call) -> int:
    from regionwise.filling.fill_photo import fill_copies
    from regionwise.filling.folder import remove_leftovers
    from regionwise.filling.folder_jobs import find_jobs
    from regionwise.filling.outcome import STATUSES
    from regionwise.filling.outcome_files import OutcomeFile
    from regionwise.filling.results import make_folder
    from regionwise.photos.stored_files import place_of

    output = _results_of(call)
    shard = None if call.shard is None else parse_shard(call.shard)
    masks = None if call.mask is None else place_of(call.mask)
    jobs = find_jobs(place_of(call.photo), masks, output, shard)
    if isinstance(output, Path):
        make_folder(output)
        remove_leftovers(output)
    photos = call.report["photos"] = []
    counts: Counter[str] = Counter(dict.fromkeys(STATUSES, 0))
    rows = None if call.outcomes is None else OutcomeFile(call.outcomes, shard)
    try:
        with photo_bar(len(jobs) * call.count, call.shows_progress) as step:
            for engine, options, ending in call.answers():
                done = rows.done if rows is not None and call.count == 1 else set()
                named = jobs.with_ending(ending)
                if call.steady and engine is not None and not fill_copies(engine, options):
                    call.warn(
                        f"--steady does nothing here: {call.options.model} copies no pixels of the "
                        "photo, so that nothing is found anew in each frame"
                    )
                with closing(_outcomes(call, named, engine, options, done)) as found:
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


def _results_of(call: _Call) -> Place:
    """The folder of the results: what was said, or PHOTOS_filled beside that of the photos."""
    from regionwise.photos.stored_files import address_of, is_address, place_of

    if call.output:
        return place_of(call.output)
    if is_address(call.photo):
        return address_of(call.photo).removesuffix(".tar") + "_filled"
    home = Path(call.photo).resolve()
    return home.with_name(f"{home.name.removesuffix('.tar')}_filled")


def _outcomes(
    call: _Call, jobs: Jobs, engine: Engine | None, options: FillOptions, done: set[str]
) -> Generator[FillOutcome, None, None]:
    """Fill in this process, in several, or on a cluster."""
    if call.on is not None:
        from regionwise.cluster.ray_map import parse_cluster
        from regionwise.filling.on_ray import fill_folder_on_ray

        cluster = parse_cluster(call.on, workers=call.workers, gpus=call.gpus)
        return fill_folder_on_ray(
            jobs, options, cluster, overwrite=call.overwrite, per_tar=call.per_tar, done=done
        )
    if call.is_alone and engine is not None:
        from regionwise.filling.folder import fill_folder

        return fill_folder(jobs, engine, options, overwrite=call.overwrite, steady=call.steady)
    from regionwise.filling.workers import fill_folder_in_processes

    workers = call.workers or 1
    return fill_folder_in_processes(
        jobs, call.opener(options), options, workers=workers, overwrite=call.overwrite
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
