"""`regionwise import`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def command(
    checkpoint: Annotated[
        str, typer.Argument(help="A checkpoint of a paper's authors, one of ours, or a name.")
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="The .safetensors to write.")],
    overwrite: Annotated[bool, typer.Option(help="Write over a file that is there.")] = False,
) -> None:
    """Turn a checkpoint into our safetensors, which no code can hide in.

    \b
    Example:  regionwise import g.pth -o rn_places2.safetensors

    The network is known by the names of its weights. `regionwise fill --model` also takes the
    authors' file as it is. With the name of a bundled model its weights are written, to train on
    from them.
    """
    from regionwise.checkpoints import read_checkpoint, save_checkpoint
    from regionwise.errors import OutputError
    from regionwise.weights.bundled import weights_file

    if output.exists() and not overwrite:
        raise OutputError(f"{output} exists; give another name, or --overwrite")
    stored = read_checkpoint(weights_file(checkpoint))
    parameters = sum(weight.numel() for weight in stored.network().parameters())
    save_checkpoint(stored, output)
    options = ", ".join(f"{key}={value}" for key, value in stored.options.items()) or "none"
    print(f"{output}: {stored.model}, {parameters / 1e6:.2f}M parameters, options: {options}")
