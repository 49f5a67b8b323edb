"""`regionwise index`: list what tar shards hold, once."""

from __future__ import annotations

from typing import Annotated

import typer


def command(
    folder: Annotated[str, typer.Argument(help="A folder of tar shards, or its address.")],
) -> None:
    """List the photos of tar shards in a file beside them, so that they are found at once.

    fill, evaluate and train then need not read the shards' heads. Shards that are written anew or
    added later are read as before, until this is run again.
    """
    from regionwise.photos.shard_index import NAME, write_shard_index
    from regionwise.photos.stored_files import place_of, within

    home = place_of(folder)
    shards, pictures = write_shard_index(home)
    print(f"{within(home, NAME)}: {pictures} photos in {shards} shards")
