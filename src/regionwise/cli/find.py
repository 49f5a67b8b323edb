"""`regionwise find`: propose a mask for text, scratches, dust or a watermark."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Annotated

import typer
from PIL import Image

from regionwise.cli import tell
from regionwise.errors import RegionwiseError
from regionwise.output import write_whole
from regionwise.photos.masks import grow, hole_ratio
from regionwise.photos.reading import read_photo


def command(
    kind: Annotated[str, typer.Argument(metavar="text|scratches|dust|watermark")],
    photos: Annotated[
        list[str],
        typer.Argument(
            metavar="PHOTO...",
            help="The photo; for a watermark also others with it, of the same size.",
        ),
    ],
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="The mask; default: PHOTO_mask.png.")
    ] = None,
    pixels: Annotated[
        float, typer.Option("--grow", min=0, help="Widen what was found by this many pixels.")
    ] = 0,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Write over a mask that exists.")
    ] = False,
) -> None:
    """Find what is to go, and write it as a mask: white is what regionwise fill fills.

    \b
    regionwise find scratches photo.jpg -o mask.png
    regionwise find watermark first.jpg second.jpg third.jpg fourth.jpg

    It is a proposal: look at the mask, and correct it in the page or any editor.
    """
    from regionwise.find.kinds import find

    photo, *others = (read_photo(path) for path in photos)
    found = find(kind, photo.color, [other.color for other in others])
    if not found.any():
        raise RegionwiseError(f"no {kind} was found in {photos[0]}; paint the mask by hand")
    found = grow(found, pixels) if pixels else found
    path = output or Path(photos[0]).with_name(f"{Path(photos[0]).stem}_mask.png")
    file = io.BytesIO()
    Image.fromarray(found).save(file, "PNG")
    write_whole(file.getvalue(), path, overwrite=overwrite)
    tell(f"{path}: {hole_ratio(found):.1%} of the photo; look at it before you fill")
