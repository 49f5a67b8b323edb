"""`regionwise curves`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def command(
    runs: Annotated[list[Path], typer.Argument(help="Folders of trainings.")],
    output: Annotated[
        Path, typer.Option("--output", "-o", help="Drawing (.svg) or numbers (.csv).")
    ],
    number: Annotated[
        str, typer.Option(help="What to draw, as TensorBoard names it.")
    ] = "validation/psnr",
    smooth: Annotated[
        int, typer.Option(help="Running mean over this many points; 1 = as it is.", min=1)
    ] = 1,
    overwrite: Annotated[bool, typer.Option(help="Replace the file.")] = False,
) -> int:
    """Draw a number of several trainings over their steps: RN's Figure 6, for instance.

    \b
    regionwise curves runs/none runs/in runs/bn runs/rn -o psnr.svg
    regionwise curves runs/a runs/b --number main/l1 --smooth 50 -o l1.csv

    Names that every training has: validation/psnr, validation/ssim, validation/l1_hole,
    membrane/psnr, and PHASE/LOSS, PHASE/lr, PHASE/gradient for each phase.
    """
    from regionwise.training.curves import draw_curves, read_curve, smoothed, to_csv

    curves = {run.name: smoothed(read_curve(run, number), smooth) for run in runs}
    if output.suffix == ".csv":
        to_csv(curves, number, output, overwrite=overwrite)
    else:
        draw_curves(curves, number, output, overwrite=overwrite)
    for name, points in curves.items():
        step, value = points[-1]
        print(f"{name}: {number} {value:.5g} at step {step + 1}")
    return 0
