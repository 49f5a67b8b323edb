"""`regionwise masks`: draw sets of masks that anyone can draw again, and count them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import track
from rich.table import Table

from regionwise.cli.once import OnceCommand
from regionwise.errors import DataError, OutputError
from regionwise.evaluation.manifest import Manifest, MaskSet, read_manifest
from regionwise.evaluation.mask_files import (
    count_masks,
    draw_histogram,
    read_masks,
    write_masks,
)
from regionwise.holes import FAMILIES

app = typer.Typer(
    help="Draw sets of masks, and count them.",
    add_completion=False,
    rich_markup_mode=None,
)


@app.command(cls=OnceCommand)
def make(
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for masks and manifest.")],
    family: Annotated[
        str, typer.Option(help=f"One of {', '.join(FAMILIES)}; several as NAME:WEIGHT,NAME:WEIGHT.")
    ] = "irregular",
    count: Annotated[int, typer.Option(help="How many.", min=1)] = 100,
    size: Annotated[str, typer.Option(help="Side in pixels, or HEIGHTxWIDTH.")] = "256",
    ratio: Annotated[
        str | None, typer.Option(help="Interval LOW,HIGH of the hole ratio, such as 0.1,0.2.")
    ] = None,
    margin: Annotated[
        float, typer.Option(help="Share of each side kept clear at the border.", min=0, max=0.49)
    ] = 0.0,
    seed: Annotated[int, typer.Option(help="The same seed draws the same masks.", min=0)] = 0,
    manifest: Annotated[
        str | None, typer.Option(help="Draw these masks again: a protocol's name, file or folder.")
    ] = None,
    overwrite: Annotated[bool, typer.Option(help="Write over a set that is there.")] = False,
) -> None:
    """Draw masks (white = missing) and the manifest that draws them again bit for bit."""
    if manifest is not None:
        wanted = read_manifest(manifest)
    else:
        wanted = Manifest(
            name=output.name or "masks",
            title=f"{family}, seed {seed}",
            sets=(
                MaskSet(
                    name=family,
                    mixture=_mixture(family),
                    ratio=_numbers(ratio, "--ratio") if ratio else None,
                    margins=(margin,),
                    count=count,
                    seed=seed,
                    size=_size(size),
                ),
            ),
        )
    total = sum(one.count for one in wanted.sets)
    console = Console(stderr=True)
    for _ in track(write_masks(wanted, output, overwrite), "masks", total, console=console):
        pass
    console.print(f"{total} masks and manifest.json in {output}")


@app.command(cls=OnceCommand)
def stats(
    source: Annotated[str, typer.Argument(help="Folder, tar, mask, manifest or protocol.")],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Draw the histogram to this picture too.")
    ] = None,
) -> None:
    """Print how large the holes are, as a histogram."""
    statistics = count_masks(read_masks(source))
    ratios, counts = statistics.ratios, statistics.histogram
    table = Table("hole ratio", "masks", "", title=source)
    for number, masks in enumerate(counts.tolist()):
        bar = "█" * round(40 * masks / counts.max())
        table.add_row(f"{10 * number}-{10 * number + 10} %", str(masks), bar)
    console = Console()
    console.print(table)
    sizes = ", ".join(f"{height}x{width}" for height, width in sorted(statistics.sizes)[:5])
    console.print(
        f"{len(ratios)} masks of {sizes}; hole ratio {ratios.min():.4f} to {ratios.max():.4f}, "
        f"mean {ratios.mean():.4f}; {statistics.at_border / len(ratios):.0%} touch the border",
        highlight=False,
    )
    if output is not None:
        try:
            draw_histogram(statistics).save(output)
        except (OSError, ValueError) as error:
            raise OutputError(f"{output}: can't be written ({error})") from error


def _mixture(text: str) -> dict[str, float]:
    mixture = {}
    for part in text.split(","):
        name, _, weight = part.strip().partition(":")
        if name not in FAMILIES:
            raise DataError(f"--family: no {name!r}; there are {', '.join(FAMILIES)}")
        try:
            mixture[name] = float(weight or 1)
        except ValueError:
            raise DataError(f"--family: {weight!r} is not a weight, as in {name}:2") from None
        if not 0 < mixture[name] < float("inf"):
            raise DataError(f"--family: the weight of {name} has to be above 0")
    return mixture


def _numbers(text: str, option: str) -> tuple[float, float]:
    try:
        low, high = (float(part) for part in text.split(","))
    except ValueError:
        raise DataError(f"{option}: {text!r} is not LOW,HIGH, such as 0.1,0.2") from None
    return low, high


def _size(text: str) -> tuple[int, int]:
    try:
        sides = [int(part) for part in text.lower().split("x")]
    except ValueError:
        sides = []
    if len(sides) not in (1, 2) or min(sides) < 1:
        raise DataError(f"--size: {text!r} is not a size, such as 256 or 480x640")
    return sides[0], sides[-1]
