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
        str, typer.Option(help="rn, madf, small, or a file of weights of any of our networks.")
    ] = "rn",
    size: Annotated[
        int, typer.Option(help="Scale the photo's longer side down to this many pixels.", min=32)
    ] = 256,
    point: Annotated[
        str | None,
        typer.Option(metavar="X,Y", help="Show the attention of this pixel of the photo."),
    ] = None,
    shift: Annotated[
        bool,
        typer.Option("--shift", help="Measure what the hole does to norms over all pixels."),
    ] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a file.")] = False,
) -> None:
    """Show what a network does with a mask: the diagnosis of the papers' own figures.

    \b
    regionwise explain photo.jpg mask.png -o panel.png

    For every network: its stages, and what each of them changed. For Region Normalization: response
    maps of the learnable layers, their masks at several thresholds, and the maps of γ and β
    (Figures 7 and 8). For MADF: the filters that it makes for windows of the mask (Figure 5), and
    its decoders. For DeepGIN: where a point of the hole looks, and what back projection adds. For
    the region-wise networks: which filter works where. Needs PyTorch: pip install
    "regionwise[train]".
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
        panel = explain(network, image, seen, title, _place(point, hole.shape, (rows, columns)))
    data = BytesIO()
    panel.save(data, "PNG")
    write_whole(data.getvalue(), output, overwrite=overwrite)
    print(output)


def _place(
    point: str | None, shape: tuple[int, int], seen: tuple[int, int]
) -> tuple[int, int] | None:
    """X,Y in the photo as row and column of the picture that the network sees."""
    from regionwise.errors import DataError

    if point is None:
        return None
    x, comma, y = point.partition(",")
    inside = comma and x.isdecimal() and y.isdecimal() and int(x) < shape[1] and int(y) < shape[0]
    if not inside:
        raise DataError(f"--point {point}: give X,Y inside the photo, {shape[1]}x{shape[0]} pixels")
    return int(y) * seen[0] // shape[0], int(x) * seen[1] // shape[1]
