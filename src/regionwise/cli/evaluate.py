"""`regionwise evaluate`."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from regionwise.cli.fill_options import with_fill_options
from regionwise.filling.options import FillOptions

if TYPE_CHECKING:
    from regionwise.evaluation.plan import Through
    from regionwise.evaluation.tables import Table


@with_fill_options("large", "ensemble", "blend", "stage", "raw")
def command(
    models: Annotated[
        str, typer.Option("--models", "-m", help="Names or files, with commas between them.")
    ],
    photos: Annotated[
        list[Path],
        typer.Option("--photos", "-p", help="Folder, tar shard, photo or list (.txt); repeatable."),
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", help="Folder for results. A run that stopped goes on.")
    ],
    protocol: Annotated[
        str, typer.Option(help="Holes: a protocol's name, or a manifest of `masks make`.")
    ] = "",
    masks: Annotated[
        Path | None, typer.Option(help="Holes: a folder or tar of masks, put into bins by ratio.")
    ] = None,
    pairs: Annotated[
        bool, typer.Option("--pairs", help="With --masks: each photo gets the mask of its name.")
    ] = False,
    invert_masks: Annotated[
        bool, typer.Option("--invert-masks", help="With --masks: black is missing.")
    ] = False,
    bins: Annotated[
        str, typer.Option(help="With --masks: edges of the bins, as 0.01,0.1,0.2; tenths to 0.6.")
    ] = "",
    one_mask: Annotated[
        bool, typer.Option("--one-mask", help="With --masks: one for each photo, not one a bin.")
    ] = False,
    also: Annotated[
        list[str] | None,
        typer.Option(metavar="PROTOCOL:SET", help="A row of a protocol beside; repeatable."),
    ] = None,
    size: Annotated[int, typer.Option(help="With --masks: side of the pictures.", min=16)] = 256,
    original: Annotated[
        bool,
        typer.Option("--original", help="Photos keep their sizes, and are filled as `fill` does."),
    ] = False,
    squash: Annotated[
        bool,
        typer.Option("--squash", help="Scale whole photos, their aspect not kept; don't crop."),
    ] = False,
    through: Annotated[
        str,
        typer.Option(
            metavar="fill|network",
            help="fill: holes are filled as users do it; network: by the model alone. By the "
            "protocol if not given: object-removal and --original go through fill.",
        ),
    ] = "",
    held_out: Annotated[
        bool, typer.Option("--held-out", help="Only the twentieth of photos kept from training.")
    ] = False,
    limit: Annotated[
        int, typer.Option(help="At most this many photos, spread evenly; 0 = all.", min=0)
    ] = 0,
    workers: Annotated[int, typer.Option(help="Processes on this machine.", min=1)] = 1,
    shard: Annotated[
        str, typer.Option(help="Only part I/N of the photos; all parts share the folder.")
    ] = "1/1",
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "auto",
    samples: Annotated[
        int,
        typer.Option(help="Photos whose pictures are kept, for sheets and `blind`.", min=0),
    ] = 4,
    metrics: Annotated[
        str,
        typer.Option(
            help="Some of psnr,ssim,l1,l2,sharpness,seam,naturalness, or all; the last one, which "
            "takes a second a picture, only if named."
        ),
    ] = "",
    features: Annotated[
        list[str] | None,
        typer.Option(
            help="Feature distance: efficientnet-lite0, :FOLDER for weights from there, or Darknet "
            "tiny's .npz; repeatable."
        ),
    ] = None,
    lpips: Annotated[
        list[str] | None,
        typer.Option(help="LPIPS: alex or vgg, :FOLDER for weights from there; repeatable."),
    ] = None,
    perceptual: Annotated[
        str, typer.Option(help="Perceptual error: vgg or vgg:FOLDER, or Darknet's .npz.")
    ] = "",
    fid: Annotated[
        str, typer.Option(help="FID: the standard Inception as TorchScript, or `download`.")
    ] = "",
    **options: Any,
) -> int:
    """Fill photos with several models under one protocol, and compare: tables by hole ratio.

    Writes table.md, .csv, .tex, evaluation.json, report.html, and contact_sheet.png or, where
    photos keep their sizes, pages of crops in sheets/. `regionwise blind` lets people judge.
    """
    from rich.console import Console
    from rich.progress import Progress

    from regionwise.errors import DataError
    from regionwise.evaluation.plan import TENTHS
    from regionwise.evaluation.rows import read_rows
    from regionwise.evaluation.settings import EvaluationSettings, claim_folder
    from regionwise.evaluation.summary import way_of, write_summary
    from regionwise.evaluation.workers import run_here, run_in_workers
    from regionwise.filling.shard import parse_shard

    names = tuple(name.strip() for name in models.split(",") if name.strip())
    if not names:
        raise DataError("--models: name at least one")
    part = parse_shard(shard)
    if workers > 1 and part.count > 1:
        raise DataError("give either --workers, for this machine, or --shard, for several")
    settings = EvaluationSettings(
        models=names,
        photos=tuple(photos),
        folder=output,
        protocol=protocol,
        masks=masks,
        pairs=pairs,
        size=(size, size),
        edges=_edges(bins) if bins else TENTHS,
        one_mask=one_mask,
        invert_masks=invert_masks,
        also=tuple(also or ()),
        original=original,
        squash=squash,
        options=FillOptions(**options),
        held_out=held_out,
        limit=limit,
        device=device,
        samples=samples,
        through=_through(through),
        metrics=metrics,
        features=tuple(features or ()),
        lpips=tuple(lpips or ()),
        perceptual=perceptual,
        inception=fid,
    )
    evaluation = settings.evaluation()
    claim_folder(evaluation)
    for note in evaluation.plan.notes:
        print(f"regionwise: {note}", file=sys.stderr)
    mine = part.positions(len(evaluation.photos))
    pictures = sum(len(evaluation.plan.sets_of(number)) for number in mine)
    with Progress(console=Console(stderr=True)) as bar:
        task = bar.add_task("pictures", total=pictures * len(names))

        def progress(count: int) -> None:
            bar.advance(task, count)

        if workers > 1:
            run_in_workers(settings, workers, progress)
        else:
            run_here(evaluation, part, progress)
    rows = read_rows(output / "rows")
    if len(rows) < evaluation.total:
        print(f"{len(rows)} of {evaluation.total} pictures are done; run the other shards too")
        return 0
    tables, errors = write_summary(evaluation, rows, _command_line())
    print(way_of(evaluation))
    return _tell(tables, errors, output)


def _tell(tables: list[Table], errors: list[str], output: Path) -> int:
    """Show the main metrics and what failed; give the exit code."""
    from rich.console import Console

    from regionwise.evaluation.writers import to_rich

    shown = [table for table in tables if table.metric.name in _SHOWN]
    Console().print(to_rich(shown))
    for error in errors[:20]:
        print(f"regionwise: {error}", file=sys.stderr)
    if len(errors) > 20:
        print(f"regionwise: and {len(errors) - 20} more errors", file=sys.stderr)
    print(f"all metrics in {output / 'table.md'}, pictures in {output / 'report.html'}")
    return 1 if errors else 0


_SHOWN = (
    *("psnr", "ssim", "l1", "l1_hole", "texture", "sharpness_error", "naturalness", "seam"),
    *("features_efficientnet", "features_darknet", "lpips", "frechet"),
)


def _through(text: str) -> Through | None:
    from regionwise.errors import DataError

    ways: dict[str, Through | None] = {"": None, "fill": "fill", "network": "network"}
    if text not in ways:
        raise DataError(f"--through: {text!r} is neither fill nor network")
    return ways[text]


def _edges(text: str) -> tuple[float, ...]:
    from regionwise.errors import DataError

    try:
        return tuple(float(part) for part in text.split(","))
    except ValueError:
        raise DataError(f"--bins: {text!r} is no list of numbers, such as 0.01,0.1,0.2") from None


def _command_line() -> str:
    return shlex.join(["regionwise", *sys.argv[1:]])
