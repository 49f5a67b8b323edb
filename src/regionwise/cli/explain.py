"""`regionwise explain`."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import Annotated

import typer


def command(
    photo: Annotated[Path, typer.Argument(help="A photo.")],
    mask: Annotated[Path, typer.Argument(help="White is missing. A picture of the photo's size.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The panel to write, a .png.")],
    model: Annotated[
        str, typer.Option(help="rn, madf, small, or a file of weights of RN or MADF.")
    ] = "rn",
    size: Annotated[
        int, typer.Option(help="Scale the photo's longer side down to this many pixels.", min=32)
    ] = 256,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a file.")] = False,
) -> None:
    """Show what a network does with a mask: the diagnosis of the papers' own figures.

    \b
    regionwise explain photo.jpg mask.png -o panel.png

    For Region Normalization: response maps of the learnable layers, their masks at several
    thresholds, and the maps of γ and β (Figures 7 and 8). For MADF: the filters that it makes for
    windows of the mask (Figure 5). Needs PyTorch: pip install "regionwise[train]".
    """
    from regionwise.checkpoints import load_checkpoint
    from regionwise.explain import explain
    from regionwise.filling.canvas import read_window
    from regionwise.filling.hole import find_hole
    from regionwise.filling.options import FillOptions
    from regionwise.filling.windows import Window
    from regionwise.output import check_output, write_whole
    from regionwise.photos.reading import read_photo
    from regionwise.weights.bundled import weights_file

    check_output(output, overwrite=overwrite)
    source = read_photo(photo)
    hole = find_hole(source, mask, FillOptions()).mask
    network = load_checkpoint(weights_file(model))
    shrink = min(1, size / max(hole.shape))
    rows, columns = (max(1, round(side * shrink)) for side in hole.shape)
    image, seen = read_window(
        source.color, hole, Window(0, 0, source.height, source.width, rows, columns)
    )
    panel = explain(
        network, image, seen, f"{model}: {photo.name}, seen at {columns} x {rows} pixels"
    )
    data = BytesIO()
    panel.save(data, "PNG")
    write_whole(data.getvalue(), output, overwrite=overwrite)
    print(output)
