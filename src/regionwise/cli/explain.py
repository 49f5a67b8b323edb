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
        int, typer.Option(help="The photo's longer side is scaled down to so many pixels.", min=32)
    ] = 256,
    shift: Annotated[
        bool,
        typer.Option("--shift", help="Measure what the hole does to norms over all pixels."),
    ] = False,
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
    from regionwise.explain import explain, explain_shift
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
    window = Window(0, 0, source.height, source.width, rows, columns)
    image, seen = read_window(source.color, hole, window)
    title = f"{model}: {photo.name}, seen at {columns} x {rows} pixels"
    if shift:
        whole, _ = read_window(source.color, hole & False, window)
        panel, said = explain_shift(network, whole, seen, title)
        print(said)
    else:
        panel = explain(network, image, seen, title)
    data = BytesIO()
    panel.save(data, "PNG")
    write_whole(data.getvalue(), output, overwrite=overwrite)
    print(output)
