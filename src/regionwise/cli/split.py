"""`regionwise split`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def command(
    name: Annotated[
        str | None, typer.Argument(help="A dataset, such as celeba-hq; none lists them.")
    ] = None,
    folder: Annotated[Path | None, typer.Argument(help="Where its photos are unpacked.")] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Folder for the lists; by default FOLDER.")
    ] = None,
    archive: Annotated[
        list[Path] | None,
        typer.Option(help="Hold this archive against its published checksum; repeatable."),
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace lists.")] = False,
) -> int:
    """Write lists of the photos that the papers train and test on, for --photos.

    \b
    regionwise split                                       the datasets
    regionwise split celeba-hq photos/celeba-hq            writes celeba-hq-train.txt and -test.txt
    regionwise split places2 --archive val_large.tar       checks an archive alone

    A list whose length is not the paper's is told. Exit code: 1 if there was one.
    """
    from regionwise.errors import RecipeError
    from regionwise.output import write_whole
    from regionwise.reproduce.splits import check_archive, list_text, read_split, split_names

    if name is None:
        for one in split_names():
            print(f"{one:18} {read_split(one).title}")
        return 0
    split = read_split(name)
    for file in archive or []:
        print(check_archive(file, split.archives))
    if folder is None:
        if not archive:
            raise RecipeError(f"{name}: give the folder of its photos; they are at {split.home}")
        return 0
    place = output or folder
    short = Path(name).stem
    other = False
    for key, photos in split.photos(folder).items():
        target = place / f"{short}-{key}.txt"
        place.mkdir(parents=True, exist_ok=True)
        write_whole(list_text(split, key, photos, folder, place), target, overwrite=overwrite)
        wanted = split.lists[key].count
        note = "" if wanted in (None, len(photos)) else f", where the paper has {wanted:,}"
        other |= bool(note)
        print(f"{target}: {len(photos):,} photos{note}")
    return 1 if other else 0
